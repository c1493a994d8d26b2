"""Opening the store in a task's process: with the keys of the Pod's Secret where there's one, else the environment's.

The Secret's keys stay out of the environment, where the user's own S3 client would take them for its own.
"""

from __future__ import annotations

import os

from reflow.store.objects import ObjectStore
from reflow.store.open import open_store
from reflow.task.patience import patiently
from reflow.task.spec import TaskSpec
from reflow.values.errors import UsageError

SECRET = "REFLOW_STORE_SECRET"  # the environment's variable that names the Secret's folder
NAMESPACE = "REFLOW_NAMESPACE"  # the Kubernetes namespace, which is the last part of the store's root


def open_store_of(spec: TaskSpec) -> ObjectStore:
    """The store of a task."""
    return open_task_store(spec.store)


def open_task_store(url: str) -> ObjectStore:
    """`url`: the store's address, "" for the one that the Secret names. Raises UsageError."""
    folder = os.environ.get(SECRET)
    if not folder and not url:
        raise UsageError("The task's description names no store, and there is no Secret that does.")
    if url and not url.startswith("s3://"):
        return open_store(url)
    from reflow.store.s3_slim import SlimS3
    from reflow.store.s3_url import S3Address

    if not folder:
        return SlimS3(S3Address.parse(url, os.environ), patiently)
    secret = Secret.read(folder)
    address = S3Address.parse(url or secret.url(os.environ.get(NAMESPACE, "")), secret.environment())
    return SlimS3(address, patiently)


class Secret:
    """The files of a mounted `reflow-store` Secret: endpoint, bucket, prefix, region, accessKey, secretKey."""

    def __init__(self, found: dict[str, str]) -> None:
        self._found = found

    @staticmethod
    def read(folder: str) -> Secret:
        """Files that aren't there count as empty."""
        found = {}
        for name in ("endpoint", "bucket", "prefix", "region", "accessKey", "secretKey", "sessionToken"):
            try:
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    found[name] = file.read().strip()
            except FileNotFoundError:
                found[name] = ""
        return Secret(found)

    def url(self, namespace: str) -> str:
        """The store's address. Raises UsageError where the Secret names no bucket."""
        from urllib.parse import quote

        if not self._found["bucket"]:
            raise UsageError("The Secret reflow-store names no bucket.")
        path = "/".join(part for part in (self._found["prefix"].strip("/"), namespace) if part)
        query = [
            f"{name}={quote(self._found[name], safe=':/')}"
            for name in ("endpoint", "region")
            if self._found[name]
        ]
        return f"s3://{self._found['bucket']}/{path}" + (f"?{'&'.join(query)}" if query else "")

    def environment(self) -> dict[str, str]:
        """The process's environment, with the Secret's keys in place of its own where the Secret has some."""
        found = dict(os.environ)
        if self._found["accessKey"]:
            found["AWS_ACCESS_KEY_ID"] = self._found["accessKey"]
            found["AWS_SECRET_ACCESS_KEY"] = self._found["secretKey"]
            found["AWS_SESSION_TOKEN"] = self._found["sessionToken"]
        return found
