"""A run's exit hooks: functions of the script that are called when the run has ended, in a process of their own.

`python -m reflow.task.hooks SCRIPT ALIAS FLOW RUN STORE NAME…`
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from reflow.task.load import Unloadable, load_script


def main(arguments: list[str]) -> int:
    """Call the functions one after the other; one that fails keeps none of the others from being called."""
    script, alias, flow, run, store, *names = arguments
    try:
        load_script(script, alias=alias == "1", flow_class=flow)
    except Unloadable as error:
        print(f"The exit hooks of {flow} can't be called: {error}", file=sys.stderr)
        return 1
    return max([_call(name, f"{flow}/{run}", store) for name in names], default=0)


def _call(name: str, run: str, store: str) -> int:
    hook: Callable[..., Any] | None = getattr(sys.modules["__main__"], name, None)
    if hook is None:
        print(f"The exit hook {name} isn't a function of the script, so it isn't called.", file=sys.stderr)
        return 1
    try:
        if "run" in getattr(getattr(hook, "__code__", None), "co_varnames", ())[:1]:
            from reflow.client import Run

            hook(Run(run, store=store, _namespace_check=False))
        else:
            hook()
    except Exception:
        import traceback

        print(f"The exit hook {name} failed:", file=sys.stderr)
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.exit(code)
