"""Launching a run: what is prepared before the first task, and the laptop's executor. The operator shares the first."""
