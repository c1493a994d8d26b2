"""A manifest's code, and a finished run's, as a file on this machine that tasks can load."""

from __future__ import annotations

import ast
from hashlib import sha256
from pathlib import Path

from reflow.manifests.types import CodeSource, ImageCode, Inline, Package
from reflow.store.flowstore import FlowStore
from reflow.store.package import unpack
from reflow.store.values import Manifest
from reflow.values.errors import UsageError

_FOLDER = ".code"


def materialised(code: CodeSource, store: FlowStore, memory: Path) -> Path:
    """The script of a manifest. Raises UsageError, NotFound."""
    match code:
        case Inline(text, script):
            data = text.encode()
            folder = memory / _FOLDER / sha256(data).hexdigest()
            return Path(unpack(data, script, str(folder)))
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
    return Path(unpack(store.code(digest), script, str(memory / _FOLDER / digest)))
