"""What a run prints: the seed's lines, whole, in the order of time."""

from __future__ import annotations

import re

from tests.integration.local.laptop import Laptop
from tests.integration.local.test_resume import DEBUG

LINE = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} (\[\d+/\w+/[\d.-]+ \(pid \d+\)\] ?.*|\[\d+/\w+(/\d+)?\] Cloning .*|\w.*)"
)


def test_the_output_of_a_wide_foreach_is_whole_lines_in_the_order_of_time(laptop: Laptop) -> None:
    script = laptop.flow(
        "Talkative",
        """
        @step
        def start(self):
            self.xs = range(200)
            self.next(self.work, foreach="xs")

        @step
        def work(self):
            for part in range(5):
                print(f"<{self.index}:{part}:{'x' * 200}>")
                print(f"<{self.index}:{part}:{'e' * 200}>", file=sys.stderr)
            self.next(self.join)

        @step
        def join(self, inputs):
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )
    played = laptop.run(script)
    assert played.code == 0, played.err
    lines = played.out.splitlines()
    assert all(LINE.fullmatch(line) for line in lines)
    assert [line[:23] for line in lines] == sorted(line[:23] for line in lines)
    said = played.said
    for sign in "xe":
        assert {f"<{n}:{p}:{sign * 200}>" for n in range(200) for p in range(5)} <= set(said)
    assert said.count("Task is starting.") == said.count("Task finished successfully.") == 203


def test_each_line_of_a_resume_is_whole_and_the_last_tells_the_failed_step(laptop: Laptop) -> None:
    script = laptop.flow("DebugFlow", DEBUG)
    laptop.run(script)
    played = laptop.resume(script)
    assert all(LINE.fullmatch(line) for line in played.out.splitlines())
    assert played.err.splitlines()[-2:] == ["    Step failure:", "    Step b (task-id 0) failed."]
    assert "Workflow failed." in played.said
