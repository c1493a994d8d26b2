"""list, logs, dump, show, output-dot, version: by a script and by `reflow`."""

from __future__ import annotations

import json
import pickle
import re

import pytest

from tests.integration.commands.conftest import TINY
from tests.integration.local.laptop import Laptop, Played


def play(laptop: Laptop, *arguments: str) -> Played:
    """A command of the script that must work."""
    played = laptop.play("addflow.py", *arguments)
    assert played.code == 0, played.all
    return played


# list


def test_list_tells_of_each_run_how_it_is_newest_first(adding: Laptop) -> None:
    heading, *rows = play(adding, "list").out.splitlines()
    assert heading.split() == ["RUN", "STATE", "STARTED", "AGE", "ORIGIN", "FAILED", "USER", "TAGS"]
    assert re.fullmatch(r"2 +succeeded +\S+ \S+ +\d+[smh] +1 +tester +nightly", rows[0])
    assert re.fullmatch(r"1 +failed +\S+ \S+ +\d+[smh] +add/1 +tester +nightly", rows[1])


def test_list_as_json_has_the_same_for_programs(adding: Laptop) -> None:
    newest, oldest = json.loads(play(adding, "list", "--json").out)
    assert (newest["run"], newest["state"], newest["origin"]) == ("2", "succeeded", "1")
    assert (oldest["failed_step"], oldest["failed_task"], oldest["tags"]) == ("add", "add/1", ["nightly"])


def test_list_shows_the_newest_and_says_how_many_more_there_are(adding: Laptop) -> None:
    played = play(adding, "list", "--limit", "1")
    assert len(played.out.splitlines()) == 2
    assert "1 more run" in played.err


def test_list_by_a_tag_that_no_run_has_says_so(adding: Laptop) -> None:
    played = adding.play("addflow.py", "list", "--tag", "weekly")
    assert (played.code, "no run of AddFlow with the tag weekly" in played.err) == (1, True)


def test_reflow_list_shows_all_flows_of_the_store(laptop: Laptop) -> None:
    for name in ("One", "Two"):
        assert laptop.run(laptop.flow(name, TINY)).code == 0
    flows = [line.split()[0] for line in laptop.reflow("list").out.splitlines()]
    assert flows == ["FLOW", "Two", "One"]
    assert laptop.reflow("list", "One").out.count("One") == 1
    assert laptop.reflow("list", "Three").code == 1
    assert "There is no run of Tow in the store" in laptop.reflow("list", "Tow").err
    assert laptop.reflow("list", "Tow").err.endswith("(did you mean Two?).\n")


def test_a_run_whose_scheduler_was_killed_is_dead_and_one_at_work_is_running(laptop: Laptop) -> None:
    script = laptop.flow("Slow", TINY.replace("self.x =", "open('there', 'w'); time.sleep(60); self.x ="))
    going = laptop.start(str(script), "run")
    _wait_for(laptop, "there")
    assert json.loads(laptop.play(str(script), "list", "--json").out)[0]["state"] == "running"
    going.kill()
    going.end()
    assert json.loads(laptop.play(str(script), "list", "--json").out)[0]["state"] == "dead"
    assert "dead: its scheduler was killed" in laptop.play(str(script), "list").err


def _wait_for(laptop: Laptop, name: str) -> None:
    import time

    until = time.monotonic() + 30
    while not (laptop.folder / name).exists():
        assert time.monotonic() < until
        time.sleep(0.02)


# logs


def test_logs_of_a_task_go_to_the_streams_they_came_from(adding: Laptop) -> None:
    played = play(adding, "logs", "1/start/0")
    assert (played.out, played.err) == ("hello\n", "careful\n")
    assert play(adding, "logs", "1/start/0", "--stdout").all == "hello\n"
    assert play(adding, "logs", "1/start/0", "--stderr").all == "careful\n"
    assert play(adding, "logs", "1/start/0", "--both").all == "hello\ncareful\n"


def test_logs_of_a_cloned_task_are_those_of_its_origin(adding: Laptop) -> None:
    assert play(adding, "logs", "2/start/0", "--stdout").out == "hello\n"


def test_logs_of_a_step_are_those_of_all_its_tasks_each_under_its_name(adding: Laptop) -> None:
    played = play(adding, "logs", "2/add")
    assert played.out.splitlines() == [f"adding {n}, attempt 0" for n in (1, 2, 3)]
    assert played.err.splitlines() == [f"# 2/add/{n}" for n in (0, 1, 2)]


def test_a_step_alone_is_of_the_last_run_here(adding: Laptop) -> None:
    logs, dump = play(adding, "logs", "add"), play(adding, "dump", "start")
    assert logs.out == play(adding, "logs", "2/add").out
    assert dump.out == play(adding, "dump", "2/start").out
    for played in (logs, dump):
        assert played.err.startswith("Run 2: the last one of AddFlow here.\n")
    assert play(adding, "logs", "add/1").out == play(adding, "logs", "2/add/1").out
    wrong = adding.play("addflow.py", "logs", "ad")
    assert (wrong.code, "'ad' should be of the form RUN/STEP or RUN/STEP/TASK" in wrong.err) == (2, True)


def test_logs_show_the_latest_attempt_or_the_one_that_is_asked_for(adding: Laptop) -> None:
    assert "attempt 1" in play(adding, "logs", "1/add/1").out
    first = play(adding, "logs", "1/add/1", "--attempt", "0")
    assert "attempt 0" in first.out
    assert "ValueError" in first.err
    none = adding.play("addflow.py", "logs", "1/add/1", "--attempt", "7")
    assert (none.code, "has no attempt 7; it has 0, 1" in none.err) == (1, True)


def test_logs_with_timestamps_have_the_time_of_each_line(adding: Laptop) -> None:
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} hello\n",
        play(adding, "logs", "1/start/0", "--stdout", "--timestamps").out,
    )


def test_logs_by_reflow_take_the_flow_s_name_or_its_file(adding: Laptop) -> None:
    assert adding.reflow("logs", "AddFlow/1/start/0", "--stdout").out == "hello\n"
    assert adding.reflow("logs", "addflow.py", "1/start/0", "--stdout").out == "hello\n"


def test_logs_of_a_task_that_still_runs_are_those_so_far(laptop: Laptop) -> None:
    body = "print('x' * 10, flush=True); open('there', 'w'); time.sleep(60)"
    script = laptop.flow("Slow", TINY.replace("self.x =", f"{body}; self.x ="))
    going = laptop.start(str(script), "run")
    _wait_for(laptop, "there")
    played = laptop.play(str(script), "logs", "1/start/0")
    until = 0
    while not played.out and until < 40:  # its output reaches the store a few seconds later
        until += 1
        played = laptop.play(str(script), "logs", "1/start/0")
    going.kill()
    going.end()
    assert played.out == "xxxxxxxxxx\n", played.all


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["logs", "9/start"], 1, "no run AddFlow/9"),
        (["logs", "1/nosuch"], 1, "its steps are start, add, join, end"),
        (["logs", "1/add/7"], 1, "1/add/7 isn't there"),
        (["logs", "1/add/x"], 1, "no task 'x'"),
        (["logs", "1/join"], 1, "has no task yet"),
        (["logs", "1"], 2, "RUN/STEP or RUN/STEP/TASK"),
        (["logs", "1/a/b/c/d"], 2, "RUN/STEP or RUN/STEP/TASK"),
        (["logs", "../start/0"], 1, "can't be a run's id"),
        (["logs"], 2, "required"),
        (["logs", "1/start", "--stdout", "--stderr"], 2, "not allowed"),
        (["dump", "1/start", "--max-value-size", "-1"], 2, "must be 0 or more"),
        (["dump", "1/start", "--include", "nosuch"], 1, "no artifact nosuch; there are"),
        (["list", "--limit", "many"], 2, "limit"),
        (["gc", "--keep-newer-than", "soon"], 2, "30d, 12h or 90m"),
        (["gc", "--run", "9"], 1, "no run 9"),
        (["gc", "--run", "1", "--keep", "1"], 2, "give one kind"),
        (["tag", "add", "--run-id", "9", "x"], 1, "no run AddFlow/9"),
        (["tag", "add"], 2, "TAG"),
        (["tag", "remove", "--run-id", "1", "user:tester"], 2, "system"),
        (["tag", "replace", "--run-id", "1", "a"], 2, "OLD NEW"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(
    adding: Laptop, arguments: list[str], code: int, said: str
) -> None:
    played = adding.play("addflow.py", *arguments)
    assert (played.code, played.out) == (code, "")
    assert said in played.err
    assert "Traceback" not in played.err


def test_reflow_says_how_a_name_has_to_be(adding: Laptop) -> None:
    assert "FLOW/RUN/STEP or FLOW/RUN/STEP/TASK" in adding.reflow("logs", "1/start").err
    assert "no run of a flow Nope" in adding.reflow("dump", "Nope/1/start").err


# dump


def test_dump_shows_small_values_and_tells_of_big_ones(adding: Laptop) -> None:
    lines = play(adding, "dump", "1/start").out.splitlines()
    assert lines[0] == "1/start/0"
    assert "    parts = [1, 2, 3]" in lines
    assert any(re.fullmatch(r"    big = <list, 3\d\d\.\d KB>", line) for line in lines)
    assert not any("_hidden" in line for line in lines)


def test_dump_options_choose_what_is_shown(adding: Laptop) -> None:
    assert "_hidden = 1" in play(adding, "dump", "1/start", "--private").out
    assert play(adding, "dump", "2/end/0", "--include", "total").out == "2/end/0\n    total = 15\n"
    assert "parts = <list," in play(adding, "dump", "1/start", "--max-value-size", "0").out
    assert "99999]" in play(adding, "dump", "1/start", "--max-value-size", "1000000").out


def test_dump_of_a_failed_task_tells_how_it_failed(adding: Laptop) -> None:
    assert "failed: ValueError: invalid literal" in play(adding, "dump", "1/add/1").out


def test_dump_into_a_file_has_the_values_themselves(adding: Laptop) -> None:
    play(adding, "dump", "2/add", "--file", "out.pickle", "--include", "total")
    found = pickle.loads((adding.folder / "out.pickle").read_bytes())
    assert found == {f"2/add/{n}": {"total": n + 4} for n in range(3)}


def test_dump_as_json_has_types_and_sizes(adding: Laptop) -> None:
    found = json.loads(play(adding, "dump", "2/end", "--json").out)["2/end/0"]["artifacts"]["total"]
    assert (found["type"], found["repr"]) == ("int", "15")


def test_dump_of_a_value_that_cannot_be_loaded_says_why_and_goes_on(laptop: Laptop) -> None:
    laptop.write("gone.py", "class Model: pass")
    body = TINY.replace("self.x =", "import gone; self.model = gone.Model(); self.y = 5; self.x =")
    assert laptop.run(laptop.flow("Modelling", body)).code == 0
    (laptop.folder / "gone.py").unlink()
    played = laptop.reflow("dump", "Modelling/1/start")
    assert played.code == 0
    assert "model = <gone.Model" in played.out
    assert "No module named 'gone'" in played.out
    assert "y = 5" in played.out


# show, output-dot, version, completion


def test_show_tells_parameters_decorators_and_the_way_on_in_the_order_of_running(adding: Laptop) -> None:
    out = play(adding, "show").out
    assert out.startswith("Adds numbers.\n\nParameter alpha\n    how much")
    assert "@retry(times=1, minutes_between_retries=0)\nStep add\n" in out
    assert "Step start\n    Begin.\n    => add (for each of self.parts)\n" in out
    assert [line for line in out.splitlines() if line.startswith("Step")] == [
        "Step start",
        "Step add",
        "Step join",
        "Step end",
    ]


def test_output_dot_is_the_graph_in_the_language_of_graphviz(adding: Laptop) -> None:
    out = play(adding, "output-dot").out
    assert out.startswith("digraph AddFlow {")
    assert '"start" -> "add" [label="each of parts"];' in out
    assert out.endswith("}\n")


def test_version_is_told_by_both(adding: Laptop) -> None:
    assert play(adding, "version").out == adding.reflow("version").out


def test_reading_writes_nothing(adding: Laptop) -> None:
    before = adding.files()
    for command in ("list", "logs 1/add", "dump 1/start", "tag list --run-id 1", "gc --keep 0", "show"):
        play(adding, *command.split())
    assert adding.files() == before


def test_a_folder_without_a_store_has_no_runs_and_gets_none(laptop: Laptop) -> None:
    script = laptop.flow("Tiny", TINY)
    for command in ("list", "logs 1/start", "gc --run 1", "tag add x"):
        assert laptop.play(str(script), *command.split()).code == 1, command
    assert not (laptop.folder / ".reflow").exists()
