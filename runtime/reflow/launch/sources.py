"""A manifest's code, and a finished run's, as a file on this machine that tasks can load."""

from __future__ import annotations

import ast
import os
import re
import shutil
from hashlib import sha256
from pathlib import Path

from reflow.manifests.types import CodeSource, ImageCode, Inline, Package
from reflow.store.flowstore import FlowStore
from reflow.store.package import unpack
from reflow.store.values import Manifest
from reflow.values.errors import NotFound, UsageError

_FOLDER = ".code"
_UNPACKED = re.compile(rf"/{re.escape(_FOLDER)}/[0-9a-f]{{64}}/(.+)")


def shown_name(script: str | os.PathLike[str]) -> str:
    """A file's name in messages: within its code package, relative to the working directory where it's below that,
    else as it is."""
    path = os.fspath(script)
    if unpacked := _UNPACKED.search(path):
        return unpacked[1]
    here = os.getcwd() + os.sep
    return path[len(here) :] if path.startswith(here) else path


def materialised(code: CodeSource, store: FlowStore, memory: Path) -> Path:
    """The script of a manifest. Raises UsageError, NotFound."""
    match code:
        case Inline(text, script):
            data = text.encode()
            return _unpacked(data, sha256(data).hexdigest(), script, memory)
        case Package(digest, script):
            return _package(store, digest, script, memory)
        case ImageCode(path):
            if not Path(path).is_file():
                raise UsageError(
                    f"spec.code.image.path is {path}, a file in the image, and there is none of that name here: "
                    f"run this manifest in a cluster, or give the code inline or as a package."
                )
            return Path(path)


def kept_script(origin: Manifest, store: FlowStore, memory: Path) -> Path:
    """The script that a run was started with. Raises UsageError where it was in an image that isn't here."""
    code = origin.code
    if code.sha256 is None:
        return materialised(ImageCode(code.script), store, memory)
    return _package(store, code.sha256, code.script, memory)


def imports_metaflow(script: Path) -> bool:
    """Whether the script itself says `import metaflow` or `from metaflow import …` anywhere."""
    try:
        tree = ast.parse(script.read_bytes())
    except (SyntaxError, ValueError):
        return False  # loading it will say what is wrong
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(a.name.split(".")[0] == "metaflow" for a in node.names):
            return True
        if (
            isinstance(node, ast.ImportFrom)
            and (node.module or "").split(".")[0] == "metaflow"
            and not node.level
        ):
            return True
    return False


def _package(store: FlowStore, digest: str, script: str, memory: Path) -> Path:
    try:
        package = store.code(digest)
    except NotFound:
        raise NotFound(
            f"The code package {digest} of {store.flow} isn't in the store {store.objects.url}. "
            f"Keep it there with `reflow package`, or name the store that has it."
        ) from None
    return _unpacked(package, digest, script, memory)


def _unpacked(package: bytes, digest: str, script: str, memory: Path) -> Path:
    """The script, unpacked aside and moved into place whole: another run may be loading it this moment."""
    folder = memory / _FOLDER / digest
    if (folder / script).is_file():
        return folder / script
    aside = folder.with_name(f"{digest}.{os.getpid()}.tmp")
    try:
        unpack(package, script, str(aside))
        if not folder.exists():
            aside.replace(folder)
        else:
            shutil.copytree(aside, folder, dirs_exist_ok=True)  # the same package under another script's name
    except OSError:
        if not (folder / script).is_file():  # else another run was quicker
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder / script
