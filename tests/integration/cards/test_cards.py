"""Cards as real runs leave them, and how they're read: by the commands and by the Client."""

from __future__ import annotations

import json
import os
import subprocess
import textwrap
from pathlib import Path

import pytest

from reflow.cards import get_cards
from reflow.client import Task, namespace
from reflow.values.errors import ReflowError
from tests.integration.cards.conftest import script
from tests.integration.cards.reading import assert_harmless
from tests.integration.debugging.typist import Typist
from tests.integration.local.laptop import Laptop


def card(laptop: Laptop, *arguments: str) -> str:
    """`reflow card report.py …`, which must work."""
    played = laptop.reflow("card", "report.py", *arguments)
    assert played.code == 0, played.all
    return played.out


@pytest.fixture
def here(reported: Laptop, monkeypatch: pytest.MonkeyPatch) -> Laptop:
    monkeypatch.setenv("REFLOW_STORE", str(reported.folder / ".reflow"))
    namespace(None)
    return reported


# What is in them


def test_the_default_card_shows_what_was_appended_and_all_about_the_task(reported: Laptop) -> None:
    found = assert_harmless(card(reported, "get", "1/start", "--type", "default"))
    for said in ("Report / 1 / start / 0", "Begins.", "Succeeded", "tester", "alpha", "0.5", "bytes, 30000"):
        assert said in found.text, said
    assert (
        found.text.count("document.title = ") == 4
    )  # the Markdown, the Artifact's name and value, the artifact
    assert found.links == ["https://example.org/a?b=1&c=2"]


def test_components_of_all_sorts_are_whole_in_one_file_and_run_nothing(reported: Laptop) -> None:
    html = card(reported, "get", "1/start/0", "--id", "numbers")
    found = assert_harmless(html)
    assert "<h1>Numbers &lt;b&gt;</h1>" in html
    assert 'progress value="4" max="4"' in html
    assert found.tags.count("img") == 1
    assert found.tags.count("svg") == 1
    assert found.tags.count("rect") == 4  # two bars, two in the legend
    assert '"encoding": {' in found.text  # the specification beside the drawing
    assert "ValueError" in found.text


def test_a_card_of_type_html_is_the_step_s_own_page(reported: Laptop) -> None:
    assert card(reported, "get", "1/start", "--type", "html") == "<h1>mine</h1><script src='own.js'></script>"


def test_a_failed_step_s_cards_show_what_was_appended_and_why_it_failed(reported: Laptop) -> None:
    found = assert_harmless(card(reported, "get", "1/end", "--type", "default"))
    for said in ("Failed", "Attempt 1", "ValueError: no <i>luck</i>", "line ", "half", "'done'"):
        assert said in found.text, said
    own = assert_harmless(card(reported, "get", "1/end", "--id", "html"))
    assert "ValueError: no <i>luck</i>" in own.text
    played = reported.reflow("card", "report.py", "get", "1/end", "--id", "quiet")
    assert (played.code, "There is no such card of Report/1/end" in played.err) == (1, True)


def test_each_attempt_has_its_own_and_the_result_s_is_shown(here: Laptop) -> None:
    texts = [get_cards(Task("Report/1/end/0", attempt=n), type="default")[0].get() for n in (0, 1)]
    assert ["Attempt 0" in texts[0], "Attempt 1" in texts[1]] == [True, True]
    assert "Attempt 0" in get_cards("Report/2/end/0", type="default")[0].get()


# Reading them


def test_list_tells_of_a_run_s_cards_and_a_clone_s_are_its_origin_s(reported: Laptop) -> None:
    heading, *rows = [line.split() for line in card(reported, "list").splitlines()]
    assert heading == ["task", "id", "type", "size", "hash", "of"]
    assert [(row[0], row[-1]) for row in rows[:5]] == [
        ("2/start/0", "Report/1/start/0"),
        ("2/start/0", "Report/1/start/0"),
        ("2/start/0", "Report/1/start/0"),
        ("2/wide/0", "Report/1/wide/0"),
        ("2/wide/1", "Report/1/wide/1"),
    ]
    assert [row[1] for row in rows[5:]] == ["default", "html", "quiet"]
    found = json.loads(card(reported, "list", "2/wide/1", "--json"))
    assert [(one["pathspec"], one["type"], one["id"]) for one in found] == [
        ("Report/2/wide/1", "default", None)
    ]
    assert "Item 2" in card(reported, "get", "2/wide/1")
    assert card(
        reported, "get", "2/start", "--hash", json.loads(card(reported, "list", "start", "--json"))[1]["hash"]
    )
    assert card(reported, "list", "2/join") == "No cards of Report/2/join.\n"


def test_get_writes_a_file_and_asks_where_several_are_meant(reported: Laptop) -> None:
    file = reported.folder / "out.html"
    assert card(reported, "get", "2/wide/0", str(file)) == ""
    assert "Item 1" in file.read_text()
    played = reported.reflow("card", "report.py", "get", "2/wide")
    assert played.code == 2
    assert "There are 2 cards of Report/2/wide: name a task, or say --id, --type or --hash." in played.err
    assert "2/wide/1" in played.err
    by_name = reported.reflow("card", "get", "Report/2/wide/0")
    assert by_name.out == file.read_text()
    for wrong, told in (("2/nothing", "has no step nothing"), ("9/end", "no run")):
        assert told in reported.reflow("card", "report.py", "get", wrong).err


def test_view_opens_a_browser_on_a_file_of_the_user_s_own(reported: Laptop, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    browser.chmod(0o755)
    reported.environ = {"BROWSER": str(browser), "TMPDIR": str(tmp_path)}
    try:
        assert "Opened" in card(reported, "view", "2/wide/0")
    finally:
        reported.environ = {}
    opened = Path((tmp_path / "opened").read_text().strip().removeprefix("file://"))
    assert "Item 1" in opened.read_text()
    assert opened.parent.stat().st_mode & 0o077 == 0


def test_get_cards_gives_them_by_task_and_shows_them_in_a_notebook(here: Laptop) -> None:
    cards = get_cards("Report/2/start/0")
    assert [(one.type, one.id) for one in cards] == [("default", None), ("blank", "numbers"), ("html", None)]
    assert (len(cards), cards.from_resumed, cards.origin_pathspec) == (3, True, "Report/1/start/0")
    assert [one.type for one in get_cards(Task("Report/1/start/0"), id="numbers")] == ["blank"]
    assert len(get_cards("Report/2/start/0", follow_resumed=False)) == 0
    shown = cards._repr_html_()
    assert shown.count("<iframe sandbox=") == 3
    assert "<script" not in shown
    with pytest.raises(ReflowError, match="Flow/run/step/task"):
        get_cards("Report/2/start")


# What goes wrong


FAULTY = """
class Odd(MetaflowCard):
    type = "odd"
    ALLOW_USER_COMPONENTS = True
    def render(self, task):
        return "<b>" + task.data.word + task["word"].data + str(self.options) + "".join(self.components)

class Broken(MetaflowCard):
    type = "broken"
    def render(self, task):
        raise RuntimeError("not <today>")

class Endless(MetaflowCard):
    type = "endless"
    def render(self, task):
        while True:
            pass

class Deadly(MetaflowCard):
    type = "deadly"
    def render(self, task):
        print("about to die", flush=True)
        os.kill(os.getpid(), 9)

class Rude(MetaflowCardComponent):
    def render(self):
        raise KeyError("rude")

class Faulty(FlowSpec):
    @card(type="odd", id="o", options={"k": 1})
    @card(type="broken", id="b")
    @card(type="endless", id="e", timeout=0.3)
    @card(type="nowhere", id="n")
    @card(type="html", id="h")
    @card(id="default")
    @card(type="deadly", id="d")
    @secrets(sources=["env:PASSPHRASE"])
    @step
    def start(self):
        self.word = "w"
        self.leak = os.environ["PASSPHRASE"]
        current.card.append(Markdown("ambiguous"))
        current.card["default"].extend([Rude(), Markdown("after " + self.leak), "not a component"])
        self.next(self.end)

    @step
    def end(self):
        assert not hasattr(current, "card")
        assert self.word == "w"
"""


def test_whatever_a_card_does_its_task_succeeds_and_says_what_went_wrong(laptop: Laptop) -> None:
    path = script(laptop, "Faulty", "pass")
    head, _, _ = path.read_text().partition("class Faulty")
    path.write_text(f"{head}\n{FAULTY}\nif __name__ == '__main__':\n    Faulty()\n")
    laptop.environ = {"PASSPHRASE": "p<ss&'word"}
    played = laptop.reflow("run", "faulty.py")
    assert played.code == 0, played.all
    for told in (
        "[@card WARNING] Which of the step's cards `current.card` means isn't clear",
        "[@card WARNING] 'not a component' is no component",
        "[@card WARNING] The card b couldn't be made: RuntimeError: not <today>.",
        "[@card WARNING] The card e couldn't be made: it took more than 0.3 seconds (@card(timeout=…)).",
        "[@card WARNING] The card n couldn't be made: there is no card type 'nowhere'",
        "[@card WARNING] The card h couldn't be made: the step has set no self.html",
    ):
        assert told in played.all, told

    assert "about to die" in played.all

    def shown(*options: str) -> str:
        return laptop.reflow("card", "faulty.py", "get", "start", *options).out

    assert shown("--type", "odd") == "<b>ww{'k': 1}"
    assert "RuntimeError: not &lt;today&gt;" in shown("--id", "b")
    default = assert_harmless(shown("--id", "default"))
    assert "Rude can't be shown" in default.text
    assert "after ***" in default.text
    assert "ss&'word" not in default.text


ENDLESS = """
    @card(id="slow", timeout=0.3)
    @card(id="left", refresh_interval=0)
    @step
    def start(self):
        class Forever(MetaflowCardComponent):
            def render(self):
                while True:
                    pass

        class Leaving(MetaflowCardComponent):
            def render(self):
                raise SystemExit(3)

        current.card["slow"].extend([Markdown("before"), Forever(), Markdown("behind")])
        current.card["left"].append(Markdown("before"))
        current.card["left"].refresh()
        current.card["left"].extend([Leaving(), Markdown("behind")])
        self.next(self.end)

    @card(type="blank", timeout=0.3)
    @step
    def end(self):
        class Forever(MetaflowCardComponent):
            def render(self):
                while True:
                    pass

        current.card.append(Forever())
        raise ValueError("no luck")
"""


def test_a_component_that_hangs_or_leaves_costs_its_card_that_component_only(laptop: Laptop) -> None:
    script(laptop, "Endless", ENDLESS)
    played = laptop.reflow("run", "endless.py")
    assert "[@card WARNING] The card slow couldn't be made: it took more than 0.3 seconds" in played.all
    assert "[@card WARNING] The card blank couldn't be made: it took more than 0.3 seconds" in played.all
    assert played.all.count("WARNING") == 2

    def shown(*options: str) -> str:
        return laptop.reflow("card", "endless.py", "get", *options).out

    slow = assert_harmless(shown("start", "--id", "slow")).text
    assert "it took more than 0.3 seconds" in slow
    assert "before" in slow
    assert "Forever can't be shown" in slow
    assert "behind" not in slow  # for which there was no time

    left = assert_harmless(shown("start", "--id", "left")).text
    assert "Still running" not in left
    for said in ("Succeeded", "before", "Leaving can't be shown", "SystemExit: 3", "behind"):
        assert said in left, said

    failed = assert_harmless(shown("end")).text
    assert "ValueError: no luck" in failed
    assert "Forever can't be shown" in failed


LIVE = """
    @card(refresh_interval=0)
    @step
    def start(self):
        bar = ProgressBar(max=2, label="Halfway", value=1)
        current.card.append(bar)
        current.card.refresh()
        while current.card._writing.is_alive():
            pass
        os.mkfifo("wait")
        open("wait").close()
        bar.update(2)
        self.next(self.end)

    @step
    def end(self):
        pass
"""


def test_while_a_task_runs_its_card_is_as_it_last_refreshed_it(laptop: Laptop) -> None:
    script(laptop, "Live", LIVE)
    going = laptop.start("-c", "from reflow.cli.main import console; console()", "run", "live.py")
    try:
        pipe = laptop.folder / "wait"
        subprocess.run(["sh", "-c", f"until test -p {pipe}; do sleep 0.02; done"], timeout=30, check=True)
        running = laptop.reflow("card", "live.py", "get", "1/start/0").out
        with open(pipe, "w"):
            pass
        assert going.end().code == 0
    finally:
        if going.process.poll() is None:
            os.killpg(going.process.pid, 9)
    for said in ("1/2", "Still running"):
        assert said in running
    ended = laptop.reflow("card", "live.py", "get", "1/start/0").out
    for said in ("2/2", "Succeeded"):
        assert said in ended
    assert [name for name in laptop.files() if "/cards/" in name] == [
        "Live/runs/1/cards/start/0_0/00.default"
    ]


def test_with_card_gives_one_to_every_step_and_gc_takes_them_with_their_run(laptop: Laptop) -> None:
    plain = "@step\ndef start(self):\n    self.next(self.end)\n@step\ndef end(self):\n    pass\n"
    script(laptop, "Plain", plain)
    assert laptop.reflow("run", "plain.py").code == 0
    assert not [name for name in laptop.files() if "/cards/" in name]
    assert laptop.reflow("run", "plain.py", "--with", "card:id=all").code == 0
    assert len([name for name in laptop.files() if "/cards/" in name]) == 2
    assert laptop.reflow("gc", "--run", "Plain/2", "--yes").code == 0
    assert not [name for name in laptop.files() if "/cards/" in name]


def test_under_a_debugger_a_step_s_cards_work_and_nothing_is_written(laptop: Laptop) -> None:
    body = """
        @card(refresh_interval=0)
        @step
        def start(self):
            current.card.append(Markdown("text"))
            current.card.refresh()
            self.next(self.end)

        @step
        def end(self):
            pass
    """
    path = script(laptop, "Looked", textwrap.dedent(body))
    assert laptop.reflow("run", "looked.py").code == 0
    kept = laptop.folder / ".reflow" / "Looked/runs/1/cards/start/0_0/00.default"
    before = (kept.read_bytes(), laptop.files())
    path.write_text(path.read_text().replace("from metaflow", "from reflow").replace("Markdown(", "Error("))
    with Typist(laptop, str(path), "debug", "1/start") as typist:
        typist.sees("(Pdb) ")
        typist.types("c")
        typist.sees("Step start came to its end")
    assert (kept.read_bytes(), laptop.files()) == before
