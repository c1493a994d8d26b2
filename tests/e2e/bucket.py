"""What is in the bucket: the store of one namespace, read beside the operator and its Pods."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass

from reflow.store import layout
from reflow.store.flowstore import FlowStore
from reflow.store.objects import ObjectStore
from reflow.store.s3_minio import MinioS3
from reflow.store.s3_url import S3Address
from reflow.store.values import Record


@dataclass(frozen=True)
class Bucket:
    """A namespace's part of the bucket. `prefix`: the release's, which may be empty."""

    environment: Mapping[str, str]
    prefix: str
    namespace: str

    @property
    def url(self) -> str:
        """As `--store` takes it on the laptop."""
        said = self.environment
        bucket, endpoint = said["REFLOW_TEST_S3_BUCKET"], said["REFLOW_TEST_S3_ENDPOINT"]
        path = "/".join(part for part in (self.prefix, self.namespace) if part)
        return f"s3://{bucket}/{path}?endpoint={endpoint}&region=us-east-1"

    @property
    def keys(self) -> dict[str, str]:
        """What the laptop's environment needs to be let in."""
        return {
            "AWS_ACCESS_KEY_ID": self.environment["REFLOW_TEST_S3_ACCESS_KEY"],
            "AWS_SECRET_ACCESS_KEY": self.environment["REFLOW_TEST_S3_SECRET_KEY"],
        }

    @functools.cached_property
    def objects(self) -> ObjectStore:
        return MinioS3(S3Address.parse(self.url, self.keys))

    def names(self, prefix: str = "") -> set[str]:
        """The keys of all objects below a prefix."""
        return {entry.key for entry in self.objects.list(prefix)}

    def flow(self, name: str) -> FlowStore:
        return FlowStore(self.objects, name)

    def runs(self, flow: str) -> set[str]:
        return set(self.flow(flow).runs())

    def own(self, flow: str, run: str) -> set[str]:
        """`step/id` of every result that the run wrote itself: none of what it cloned."""
        where = layout.run(flow, run)
        found = (name[len(where.tasks) :] for name in self.names(where.tasks))
        return {name.removesuffix("_ok") for name in found if name.endswith("_ok")}

    def results(self, flow: str, run: str) -> dict[str, Record]:
        """Every task's result by `step/id`, cloned ones included."""
        store = self.flow(flow)
        found = {}
        for entry in store.index(run):
            record = store.result(run, entry.key)
            if record is not None:
                found[entry.key.path] = record
        return found

    def laptop(self) -> dict[str, str]:
        """An environment for commands on the laptop: the bucket's keys, and nothing else that Reflow reads."""
        read = ("REFLOW_", "METAFLOW_", "AWS_", "PYTHON")
        found = {name: value for name, value in os.environ.items() if not name.startswith(read)}
        return {**found, **self.keys}
