import json
import sys
from dataclasses import dataclass

from reflow import FlowSpec, JSONType, Parameter, current, step


@dataclass
class Point:
    x: int
    y: int


class LinearFlow(FlowSpec):
    alpha = Parameter("alpha", default=0.5)
    name = Parameter("name", required=True)
    flag = Parameter("flag", default=False)
    spec = Parameter("spec", type=JSONType, default={})

    @step
    def start(self):
        print("to stdout, größer")
        print("to stderr", file=sys.stderr)
        self.point = Point(3, 4)
        self.bytes = b"\0\1"
        self.seen = [self.alpha, self.name, self.flag, self.spec]
        self.next(self.middle)

    @step
    def middle(self):
        self.sum = self.point.x + self.point.y
        self.told = [
            current.flow_name,
            current.run_id,
            current.step_name,
            current.task_id,
            current.pathspec,
            current.retry_count,
            current.origin_run_id,
        ]
        self.next(self.end)

    @step
    def end(self):
        assert isinstance(self.point, Point)
        print(json.dumps([self.sum, self.seen]))


if __name__ == "__main__":
    LinearFlow()
