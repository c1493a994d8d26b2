"""`tag`: a run's tags, added, removed, replaced, listed. As in Metaflow, `--run-id` names the run."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator

from reflow.cli.target import Path4, Target
from reflow.client.tags import system_tags
from reflow.sdk.identity import user_name
from reflow.store.flowstore import FlowStore
from reflow.values.errors import UsageError
from reflow.values.tag import why_no_tag
from reflow.values.untrusted import one_line


def tag(target: Target, options: argparse.Namespace) -> int:
    """Raises NotFound, UsageError."""
    if options.tag_command == "list":
        return _list(target, options)
    path = _run(target, options)
    store = target.flow_store(path.flow)
    removed, added = _change(options)
    systems = set(system_tags(store.manifest(path.run)))
    refused = removed & systems
    if refused:
        raise UsageError(f"{', '.join(sorted(refused))}: a tag of the system's can't be removed.")
    store.change_tags(path.run, lambda now: (set(now) - removed) | (added - systems))
    _print(store, path, options_of_list(options))
    return 0


def _change(options: argparse.Namespace) -> tuple[set[str], set[str]]:
    """The tags to remove and to add. Raises UsageError."""
    if options.tag_command == "add":
        return set(), _checked(options.tags)
    if options.tag_command == "remove":
        return _checked(options.tags), set()
    old, new = list(options.remove), list(options.add)
    if options.tags:
        if len(options.tags) != 2:
            raise UsageError("tag replace takes OLD NEW, or --remove and --add, each as often as needed.")
        old, new = [*old, options.tags[0]], [*new, options.tags[1]]
    if not old or not new:
        raise UsageError("tag replace needs both a tag to remove and one to add.")
    return _checked(old), _checked(new)


def _checked(tags: Iterable[str]) -> set[str]:
    found = set(tags)
    for one in found:
        if why := why_no_tag(one):
            raise UsageError(f"{why[:1].upper()}{why[1:]}.")
    return found


def _run(target: Target, options: argparse.Namespace) -> Path4:
    path = target.run(options.run_id)
    if not options.run_id:
        print(f"Run {path.run}: the last one of {path.flow} here.", file=sys.stderr, flush=True)
    return path


def _list(target: Target, options: argparse.Namespace) -> int:
    if options.run and options.run_id:
        raise UsageError("tag list takes one run: RUN or --run-id RUN.")
    options.run_id = options.run_id or options.run
    if options.all or options.my_runs:
        if not target.flow and not options.run_id:
            raise UsageError("tag list --all needs a flow: --run-id FLOW.")
        flow = target.flow or options.run_id.partition("/")[0]
        store = target.flow_store(flow)
        mine = user_name() if options.my_runs else None
        paths = [Path4(flow, run.run) for run in store.listed() if mine in (None, run.user)]
    else:
        paths = [_run(target, options)]
        store = target.flow_store(paths[0].flow)
    if options.json:
        print(json.dumps({path.run: list(_tags(store, path, options)) for path in paths}, indent=1))
        return 0
    if options.flat:
        print("\n".join(sorted({one_line(one) for path in paths for one in _tags(store, path, options)})))
        return 0
    if options.group_by_tag:
        runs: dict[str, list[str]] = {}
        for path in paths:
            for one in _tags(store, path, options):
                runs.setdefault(one, []).append(f"{path.flow}/{path.run}")
        for one in sorted(runs):
            print(f"{one}: {' '.join(runs[one])}")
        return 0
    for path in paths:
        _print(store, path, options)
    return 0


def options_of_list(options: argparse.Namespace) -> argparse.Namespace:
    """After a change, the user's tags are shown."""
    return argparse.Namespace(hide_system_tags=True)


def _tags(store: FlowStore, path: Path4, options: argparse.Namespace) -> Iterator[str]:
    yield from sorted(store.tags(path.run))
    if not options.hide_system_tags:
        yield from sorted(system_tags(store.manifest(path.run)))


def _print(store: FlowStore, path: Path4, options: argparse.Namespace) -> None:
    tags = map(one_line, _tags(store, path, options))
    print(f"{path.flow}/{path.run}: {' '.join(tags) or 'no tags'}")
