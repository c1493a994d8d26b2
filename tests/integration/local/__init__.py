"""Flows played on this machine as a user does: real commands, real processes, a folder as the store."""
