"""What goes wrong in a user's step by the rules of a flow. Names are Metaflow's, since users catch them."""

from __future__ import annotations

from collections.abc import Sequence

from reflow.values.errors import NotFound, ReflowError, UsageError


class FlowMisuse(ReflowError):
    """A step's code broke a rule of flows; the task fails with this message."""


class InvalidNextException(FlowMisuse):
    """`self.next(…)` was called in a way that doesn't lead anywhere."""


class MergeArtifactsException(FlowMisuse):
    """`self.merge_artifacts(…)` was called where or how it can't be."""


class UnhandledInMergeArtifactsException(MergeArtifactsException):
    """Inputs disagree on artifacts: `artifact_names` lists them."""

    def __init__(self, message: str, artifact_names: Sequence[str]) -> None:
        super().__init__(message)
        self.artifact_names = list(artifact_names)

    def __reduce__(self) -> tuple[type, tuple[str, list[str]]]:
        return type(self), (str(self), self.artifact_names)


class MissingInMergeArtifactsException(MergeArtifactsException):
    """No input has the artifacts that were asked for: `artifact_names` lists them."""

    def __init__(self, message: str, artifact_names: Sequence[str]) -> None:
        super().__init__(message)
        self.artifact_names = list(artifact_names)

    def __reduce__(self) -> tuple[type, tuple[str, list[str]]]:
        return type(self), (str(self), self.artifact_names)


# As scripts know them that were written for Metaflow:
MetaflowException = ReflowError
MetaflowNotFound = NotFound
CommandException = UsageError


class MetaflowInternalError(ReflowError):
    """What scripts written for Metaflow may raise; Reflow itself doesn't."""

    headline = "Internal error"


class MetaflowInvalidPathspec(ReflowError):
    """Not the name of such an object: a run's, say, is `Flow/run`."""

    headline = "Invalid pathspec"


class MetaflowNamespaceMismatch(ReflowError):
    """The object isn't in the namespace that was chosen with `namespace(…)`."""

    headline = "Object not in the current namespace"


class MetaflowTaggingError(ReflowError):
    """A tag that can't be, or that can't be changed."""

    headline = "Tagging error"


class FailureHandledByCatch:
    """What `@catch(var='x')` leaves in `self.x`: the failure of a step that was let pass.

    `type` and `message` are the exception's, `traceback` the text of the user's frames, `retry_count` the attempt
    that failed last. True in a condition, so `if self.x:` tells whether the step failed.
    """

    def __init__(self, type: str, message: str, traceback: str, retry_count: int) -> None:
        self.type = type
        self.message = message
        self.traceback = traceback
        self.retry_count = retry_count

    @property
    def exception(self) -> str:
        """One line: `ValueError: invalid literal …`."""
        return f"{self.type}: {self.message}" if self.message else self.type

    def __repr__(self) -> str:
        return f"<failure handled by @catch: {self.exception}>"

    __str__ = __repr__
