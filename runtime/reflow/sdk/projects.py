"""`@project` and its branches: what a run belongs to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reflow.graph.types import Decorator
from reflow.values.errors import UsageError

FIELDS = ("project_name", "branch_name", "is_user_branch", "is_production", "project_flow_name")


def project_of(
    flow: str, decorators: Iterable[Decorator], user: str, branch: str | None = None, production: bool = False
) -> dict[str, Any]:
    """What `current` says of the project, empty where the flow has no `@project`. Raises UsageError.

    The branch is `user.<name>` unless one is named: then `test.<branch>`, or in production `prod.<branch>` or `prod`.
    """
    attributes: Mapping[str, Any] | None = next(
        (d.attributes for d in decorators if d.name == "project"), None
    )
    if attributes is None:
        if branch or production:
            raise UsageError("--branch and --production need a @project above the flow's class.")
        return {}
    branch = branch or attributes.get("branch") or None
    production = production or bool(attributes.get("production"))
    if branch and not all(
        part.replace("-", "_").isidentifier() or part.isdigit() for part in branch.split(".")
    ):
        raise UsageError(f"--branch {branch}: a branch's name consists of letters, digits, _, - and dots.")
    stage = "prod" if production else "test" if branch else "user"
    full = ".".join(part for part in (stage, branch or (None if production else user)) if part)
    name = str(attributes.get("name", ""))
    return {
        "project_name": name,
        "branch_name": full,
        "is_user_branch": not production and branch is None,
        "is_production": production,
        "project_flow_name": f"{name}.{full}.{flow}",
    }


def project_tags(project: Mapping[str, Any]) -> frozenset[str]:
    """The tags that runs of the project's branch have."""
    if not project:
        return frozenset()
    return frozenset({f"project:{project['project_name']}", f"project_branch:{project['branch_name']}"})
