"""The operator: watches FlowRun and Resume, and spawns one Pod per task."""
