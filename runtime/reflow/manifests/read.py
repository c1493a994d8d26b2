"""The whole way from a file to typed values: loaded, checked, parsed."""

from __future__ import annotations

from reflow.manifests import schema
from reflow.manifests.load import load
from reflow.manifests.parse import ManifestError, parse
from reflow.manifests.types import Manifest
from reflow.values.dataclass import dataclass
from reflow.values.errors import UsageError


@dataclass(frozen=True, slots=True)
class Read:
    """A manifest, and where it was found: `file:line (Kind name)`."""

    manifest: Manifest
    where: str


def read(source: str) -> list[Read]:
    """The FlowRuns and Resumes in a file, or on standard input where `source` is `-`, in the file's order.

    All are checked before one is returned. Raises UsageError, which says what is wrong with which of them.
    """
    found, errors = [], []
    for document in load(source):
        try:
            found.append(Read(parse(schema.check(document.object, document.where)), document.where))
        except ManifestError as error:
            errors.append(f"{document.where}: {error}")
        except UsageError as error:
            errors.append(str(error))
    if errors:
        raise UsageError("\n".join(errors))
    return found
