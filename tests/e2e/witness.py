"""What the witness flow left: that nothing finished ran to a second result, and that nothing was lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reflow import Task
from reflow.store.s3_minio import MinioS3
from reflow.store.s3_url import S3Address
from tests.e2e.kubectl import Json
from tests.e2e.manifests import flow, flowrun
from tests.e2e.site import Team

FLOW = "WitnessFlow"
WIDTH = 5
TASKS = ["start/0", *(f"work/{index}" for index in range(WIDTH)), "join/0", "hop/0", "skip/0", "end/0"]


@dataclass
class Watched:
    """One run of the witness flow. `seen`: every result's nonce, as it was first seen in the store."""

    team: Team
    name: str
    seen: dict[str, str] = field(default_factory=dict)

    @property
    def run(self) -> str:
        return f"k8s-{self.name}"

    @property
    def prefix(self) -> str:
        """Where the executions tell of themselves: beside the namespaces' stores."""
        return f"{self.team.site.system}/witness/{self.team.namespace}/{self.name}"

    def manifest(self, seconds: Mapping[str, float] | None = None, **spec: Any) -> Json:
        """`seconds`: about how long a step takes, by its name; 1 for the others."""
        parameters = {"prefix": self.prefix, "width": WIDTH, "seconds": dict(seconds or {})}
        return flowrun(self.name, FLOW, flow("witness"), parameters=parameters, **spec)

    def look(self) -> None:
        """Remember the results that are new; those known must be as they were."""
        if self.run not in self.team.bucket.runs(FLOW):
            return
        for task, record in self.team.bucket.results(FLOW, self.run).items():
            assert self.seen.setdefault(task, record.nonce) == record.nonce, f"{task} has another result"

    def executions(self, what: str) -> Counter[str]:
        """How many executions of each task have `began`, or are `done`."""
        bucket = self.team.bucket
        address = bucket.url.replace(f"{bucket.prefix}/{bucket.namespace}", self.prefix)
        objects = MinioS3(S3Address.parse(address, bucket.keys))
        names = [entry.key.split("/") for entry in objects.list(f"{what}/")]
        return Counter(f"{name[1]}/{name[2]}" for name in names)

    def check(self) -> Counter[str]:
        """The run is complete and right. How often each task began."""
        self.look()
        assert sorted(self.seen) == sorted(TASKS)
        assert sorted(self.team.bucket.own(FLOW, self.run)) == sorted(TASKS)
        marks = {}
        for task in TASKS:
            data = Task(f"{FLOW}/{self.run}/{task}", store=self.team.bucket.url).data
            marks[task] = data.trail[task]
        last = Task(f"{FLOW}/{self.run}/end/0", store=self.team.bucket.url).data
        assert last.total == sum(index**2 for index in range(WIDTH))
        assert last.trail == marks, "every task went on from the one result of each before it"
        done, began = self.executions("done"), self.executions("began")
        assert sorted(done) == sorted(TASKS)
        status = self.team.status(self.name)
        assert status["counts"]["succeeded"] == len(TASKS)
        assert status["counts"]["failed"] == 0
        return began
