"""The command line: `python flow.py run`, and `reflow`. Parses, calls the rooms below, prints, and sets the exit code."""
