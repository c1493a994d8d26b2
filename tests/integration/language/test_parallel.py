"""Gangs: tasks that all run at once, whatever the number of workers is."""

from __future__ import annotations

from tests.integration.local.laptop import Laptop

GANG = """
    @step
    def start(self):
        self.next(self.train, num_parallel=3)

    @parallel
    @step
    def train(self):
        me = current.parallel
        open(f"here-{me.node_index}", "w").close()
        until = time.monotonic() + 30
        while not all(os.path.exists(f"here-{n}") for n in range(me.num_nodes)):
            assert time.monotonic() < until, "the others never started"
            os.sched_yield()
        self.seen = (me.node_index, me.num_nodes, me.control_task_id == current.task_id, current.is_parallel)
        self.next(self.join)

    @step
    def join(self, inputs):
        print("seen", [i.seen for i in inputs])
        self.next(self.end)

    @step
    def end(self):
        print("parallel" in current)
    """


def test_all_tasks_of_a_gang_run_at_once_even_with_fewer_workers(each_way: Laptop) -> None:
    script = each_way.flow("Gang", GANG)
    played = each_way.run(script, "--max-workers", "1")
    assert played.code == 0, played.all
    assert "seen [(0, 3, True, True), (1, 3, False, True), (2, 3, False, True)]" in played.said
    assert "False" in played.said


def test_a_gang_of_no_number_is_told_with_the_step(laptop: Laptop) -> None:
    script = laptop.flow("Gang", GANG.replace("num_parallel=3", "num_parallel=0"))
    played = laptop.run(script)
    assert played.code == 1
    assert "num_parallel=0: this is a whole number, 1 or more" in played.all
