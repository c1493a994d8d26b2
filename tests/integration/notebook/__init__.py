"""Notebooks, executed by a real kernel: the client, and runs started from them."""
