"""Debuggers in steps: real terminals, real pdb, a real IDE's debugger."""
