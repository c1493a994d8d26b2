"""The command line: `python flow.py run`, and `reflow`. Parses, calls, prints, sets the exit code."""
