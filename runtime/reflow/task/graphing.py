"""Telling a script's graph where its syntax tree doesn't: load it, and put what its class says into the store."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from reflow.graph.build import from_class
from reflow.sdk.configs import resolve_configs
from reflow.sdk.currently import set_preparing
from reflow.sdk.finalise import finalise
from reflow.sdk.includefile import keep_files
from reflow.sdk.parameters import parameters_of, resolve_values
from reflow.sdk.projects import project_of
from reflow.store.flowstore import FlowStore
from reflow.task.access import open_task_store
from reflow.task.load import LoadedScript, Unloadable, load_script
from reflow.task.spec import TaskSpec
from reflow.values.errors import FlowError, UsageError


def tell_graph(found: Mapping[str, Any]) -> dict[str, Any]:
    """`found`: as a TaskSpec's JSON, `put` being the object key for the answer. The termination message.

    The answer is JSON: flow, graph (as in a manifest), digest, and the parameters' names and attributes. Where
    `found` has `parameters`, the values that a run is given, it has all parameters' `values` too.
    """
    from reflow.task.pod import fetch_code

    try:
        put = str(found["put"])
        spec = TaskSpec.from_json({"run": "", "step": "start", "digest": "", **found})
    except KeyError as error:
        raise UsageError(f"The description of what to load lacks {error}.") from None
    objects = open_task_store(spec.store)
    fetch_code(FlowStore(objects, spec.flow), spec)
    try:
        loaded = load_script(spec.script, alias=spec.alias, flow_class=spec.flow or None)
        configs = resolve_configs(loaded.flow_class, {}, {}, os.path.dirname(os.path.abspath(spec.script)))
        finalise(loaded.flow_class, configs)
        answer = {**graph_answer(loaded), "configs": configs}
        if isinstance(found.get("parameters"), Mapping):
            name = loaded.flow_class.__name__
            set_preparing(
                name, spec.user, project_of(name, from_class(loaded.flow_class).decorators, spec.user)
            )
            values = resolve_values(loaded.flow_class, found["parameters"], user=spec.user)
            answer["values"] = keep_files(FlowStore(objects, spec.flow), values)
    except FlowError as error:
        return {"v": 1, "status": "unloadable", "attempt": 0, "error": str(error)}
    except UsageError as error:
        return {"v": 1, "status": "unloadable", "attempt": 0, "of": "parameters", "error": str(error)}
    objects.put(put, json.dumps(answer, separators=(",", ":")).encode())
    return {"v": 1, "status": "succeeded", "attempt": 0}


def graph_answer(loaded: LoadedScript) -> dict[str, Any]:
    """What a loaded script's class says of itself. Raises FlowError where it isn't a sound flow."""
    from reflow.graph.codec import graph_to_json
    from reflow.graph.digest import digest

    graph = from_class(loaded.flow_class)
    parameters = []
    for parameter in parameters_of(loaded.flow_class):
        default = parameter.default
        known = default is None or isinstance(default, str | int | float | bool | list | dict)
        parameters.append(
            {
                "name": parameter.name,
                "type": parameter.type_name,
                "required": parameter.required,
                "default": default if known else None,
                "computed": callable(default),
            }
        )
    if graph.flow != loaded.flow_class.__name__:
        raise Unloadable(f"the script's flow is {graph.flow}", file=loaded.script)
    return {
        "v": 1,
        "flow": graph.flow,
        "graph": graph_to_json(graph),
        "digest": digest(graph),
        "parameters": parameters,
    }
