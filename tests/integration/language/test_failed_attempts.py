"""What a failed attempt had set until it failed."""

from __future__ import annotations

from tests.integration.local.laptop import Laptop

BAKING = """
    @step
    def start(self):
        self.flour, self.log = 1, ["start"]
        self.next(self.mix)

    @retry(times=1, minutes_between_retries=0)
    @step
    def mix(self):
        self.dough = f"of attempt {current.retry_count}"
        self.log.append("mix")
        self.handle = open(__file__)
        if current.retry_count == 0:
            raise ValueError("lumpy")
        del self.handle
        self.next(self.bake)

    @catch(var="burnt")
    @step
    def bake(self):
        print("the oven is hot")
        self.crust = "black"
        self.flour = 2
        raise RuntimeError("smoke")
        self.next(self.slice)

    @step
    def slice(self):
        self.seen = (self.crust, self.flour, self.burnt.message, self.dough)
        self.knife = "lost"
        raise OSError("no knife")
        self.next(self.end)

    @step
    def end(self):
        pass
"""


def test_a_failed_attempt_keeps_what_it_had_set_and_a_caught_one_hands_it_on(each_way: Laptop) -> None:
    script = each_way.flow("Baking", BAKING)
    assert each_way.run(script).code == 1
    read = """
from reflow import Run, Task, namespace
namespace(None)
first, run = Task("Baking/1/mix/0", attempt=0), Run("Baking/1")
print([first.data.dough, first.data.log, first.data.flour, "handle" in first.data, first.exception.message])
bake = run["bake"].task
print([bake.finished, bake.successful, bake.stdout, bake.data.crust, bake.data.flour])
end = run["slice"].task
print([end.successful, end.data.seen, end.data.knife, str(end.exception).splitlines()[-1], end.exception.exception])
"""
    played = each_way.play("-c", read)
    assert played.code == 0, played.all
    assert played.out.splitlines() == [
        "['of attempt 0', ['start', 'mix'], 1, False, 'lumpy']",
        "[True, False, 'the oven is hot\\n', 'black', 2]",
        "[False, ('black', 2, 'smoke', 'of attempt 1'), 'lost', 'OSError: no knife', 'no knife']",
    ]


def test_a_resume_reads_nothing_of_what_a_failed_attempt_left(laptop: Laptop) -> None:
    script = laptop.flow("Baking", BAKING)
    assert laptop.run(script).code == 1
    laptop.flow("Baking", BAKING.replace('raise OSError("no knife")', "pass"))
    assert laptop.resume(script).code == 0
    assert laptop.value("Baking", "2", "slice/0", "knife") == "lost"
