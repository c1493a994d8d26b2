"""What the parts of a run have from it: its tags, and so the namespaces that they are in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflow.client.base import Parent
from reflow.client.errors import MetaflowNamespaceMismatch
from reflow.client.namespaces import get_namespace

if TYPE_CHECKING:
    from reflow.client.run import Run


class WithinRun(Parent):
    """A step, a task or an artifact."""

    def _check_namespace(self) -> None:
        if self._namespace is not None and not self._of_run._is_in(self._namespace):
            raise MetaflowNamespaceMismatch(
                f"{self!r} isn't in the namespace {self._namespace!r}. Call namespace(None) to see all runs."
            )

    @property
    def _run(self) -> str:
        return self._parts[1]

    @property
    def _of_run(self) -> Run:
        from reflow.client.run import Run

        return Run("/".join(self._parts[:2]), _place=self._place, _namespace_check=False)

    @property
    def tags(self) -> frozenset[str]:
        """The run's tags."""
        return self._of_run.tags

    @property
    def user_tags(self) -> frozenset[str]:
        """The tags that users gave the run."""
        return self._of_run.user_tags

    @property
    def system_tags(self) -> frozenset[str]:
        """What Reflow says of the run."""
        return self._of_run.system_tags

    def is_in_namespace(self) -> bool:
        """Whether the run is in the namespace that is chosen now."""
        return self._of_run._is_in(get_namespace())
