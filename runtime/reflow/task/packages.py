"""In a Pod: the packages of the step's own environment, unpacked from the store and put in the place of the image's."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from reflow.environments.archive import Archive, choose
from reflow.environments.here import Here
from reflow.store import archives
from reflow.store.flowstore import FlowStore
from reflow.values.errors import NotFound, ReflowError

FOLDER = ".reflow-packages"  # below the working directory


def fetch(store: FlowStore, found: Sequence[Sequence[Any]], step: str) -> str:
    """Unpack the archive that this image's Python can import; its folder. Raises ReflowError."""
    import tarfile

    here = Here.find()
    archive = choose([Archive.from_json(one) for one in found], here.platform, here.version, step)
    folder = os.path.abspath(FOLDER)
    try:
        with (
            archives.open_verified(store.objects, store.flow, archive.sha256) as file,
            tarfile.open(fileobj=file, mode="r:gz") as packed,
        ):
            packed.extractall(folder, filter="data")
    except NotFound:
        raise NotFound(
            f"The packages of step '{step}' are gone from the store. Make them again with `reflow package`."
        ) from None
    except (OSError, tarfile.TarError) as error:
        raise ReflowError(
            f"The packages of step '{step}' can't be unpacked into {folder}: {error}."
        ) from None
    return folder


def enter(folder: str) -> None:
    """From now on this process, and those that it starts, import from this folder, and not what the image has."""
    import site

    sys.path[:] = [entry for entry in sys.path if not entry.endswith(("site-packages", "dist-packages"))]
    site.addsitedir(folder)
    runtime = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (runtime, folder)))
    os.environ["PYTHONNOUSERSITE"] = "1"
    os.environ["PATH"] = os.pathsep.join((os.path.join(folder, "bin"), os.environ.get("PATH", os.defpath)))
