"""`python -m reflow` is the `reflow` command."""

from reflow.cli.main import console

if __name__ == "__main__":
    console()
