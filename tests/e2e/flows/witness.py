"""Every execution of a task leaves two objects of its own in the bucket: when it begins, and when it is done."""

import os
import random
import time
from pathlib import Path

from reflow import FlowSpec, JSONType, Parameter, current, step
from reflow.store.s3_slim import SlimS3
from reflow.store.s3_url import Credentials, S3Address


class Witness:
    """`began/<step>/<id>/<mark>` and `done/<step>/<id>/<mark>` below a prefix that the test names."""

    def __init__(self, prefix: str, seconds: dict) -> None:
        folder = Path(os.environ["REFLOW_STORE_SECRET"])
        said = {
            name: (folder / name).read_text() for name in ("endpoint", "bucket", "accessKey", "secretKey")
        }
        keys = Credentials(said["accessKey"], said["secretKey"])
        self.objects = SlimS3(S3Address(said["bucket"], prefix, said["endpoint"], credentials=keys))
        self.mark = os.urandom(8).hex()
        self.seconds = seconds.get(current.step_name, 1.0)

    def __enter__(self) -> str:
        self.tell("began")
        time.sleep((0.5 + random.random()) * self.seconds)
        return self.mark

    def __exit__(self, *error: object) -> None:
        self.tell("done")

    def tell(self, what: str) -> None:
        self.objects.put(f"{what}/{current.step_name}/{current.task_id}/{self.mark}", b"")


class WitnessFlow(FlowSpec):
    prefix = Parameter("prefix", required=True)
    width = Parameter("width", default=5)
    seconds = Parameter("seconds", type=JSONType, default={}, help="how long a step takes, by its name")

    @step
    def start(self):
        with Witness(self.prefix, self.seconds) as mark:
            self.trail = {"start/0": mark}
            self.items = list(range(self.width))
        self.next(self.work, foreach="items")

    @step
    def work(self):
        with Witness(self.prefix, self.seconds) as mark:
            self.trail = {**self.trail, f"work/{self.index}": mark}
            self.square = self.input**2
        self.next(self.join)

    @step
    def join(self, inputs):
        with Witness(self.prefix, self.seconds) as mark:
            self.trail = {name: value for one in inputs for name, value in one.trail.items()}
            self.trail["join/0"] = mark
            self.total = sum(one.square for one in inputs)
        self.next(self.hop)

    @step
    def hop(self):
        with Witness(self.prefix, self.seconds) as mark:
            self.trail = {**self.trail, "hop/0": mark}
        self.next(self.skip)

    @step
    def skip(self):
        with Witness(self.prefix, self.seconds) as mark:
            self.trail = {**self.trail, "skip/0": mark}
        self.next(self.end)

    @step
    def end(self):
        with Witness(self.prefix, self.seconds) as mark:
            self.trail = {**self.trail, "end/0": mark}


if __name__ == "__main__":
    WitnessFlow()
