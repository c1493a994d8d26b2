"""A folder in which a flow with cards has failed and been resumed, as real processes left it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.local.laptop import Laptop

REPORT = '''
"""Reports."""
alpha = Parameter("alpha", default=0.5)

@card
@card(type="blank", id="numbers", options={"title": "Numbers <b>"})
@card(type="html")
@step
def start(self):
    """Begins."""
    self.evil = "<script>document.title = 'ran'</script><img src=x onerror=\\"document.title='ran'\\">"
    self.html = "<h1>mine</h1><script src='own.js'></script>"
    self.big = b"x" * 3_000_000
    bar = ProgressBar(max=4, label="Rows " + self.evil, unit="rows")
    current.card.append(Markdown("# Report\\n\\nSee [more](https://example.org/a?b=1&c=2), **" + self.evil + "**"))
    current.card.append(Artifact(self.evil, name=self.evil))
    current.card["numbers"].append(bar, id="bar")
    current.card["numbers"].extend([
        Table([[1, self.evil], [Markdown("**b**"), 2.5]], headers=["n", self.evil]),
        Image(PIXEL, label=self.evil),
        VegaChart({"title": self.evil, "mark": "bar",
                   "data": {"values": [{"a": self.evil, "b": 3}, {"a": "y", "b": 5}]},
                   "encoding": {"x": {"field": "a", "type": "nominal"}, "y": {"field": "b", "type": "quantitative"},
                                "color": {"field": "a", "type": "nominal"}}}),
        Error(ValueError(self.evil)),
    ])
    for row in range(5):
        current.card["numbers"].components["bar"].update(row)
        current.card["numbers"].refresh()
    current.card["nobody"].append(Markdown("lost"))
    self.xs = [1, 2]
    self.next(self.wide, foreach="xs")

@card
@step
def wide(self):
    self.y = self.input
    current.card.append(Markdown(f"# Item {self.input}"))
    self.next(self.join)

@step
def join(self, inputs):
    self.ys = [i.y for i in inputs]
    self.next(self.end)

@card
@card(id="html", type="html")
@card(id="quiet", type="blank", save_errors=False)
@retry(times=1, minutes_between_retries=0)
@step
def end(self):
    self.half = "done"
    current.card["quiet"].append(Markdown("quiet"))
    current.card.append(Markdown(f"Attempt {current.retry_count}"))
    if os.path.exists("broken"):
        raise ValueError("no <i>luck</i>")
    self.html = "<p>all well</p>"
'''

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
HEADER = f"""from metaflow import *
from metaflow.cards import *
import base64, os
PIXEL = base64.b64decode("{PIXEL}")
"""


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Laptop:
    """Run 1 of Report failed in end, run 2 resumed it and succeeded. Tests only read it."""
    laptop = Laptop(tmp_path_factory.mktemp("reported"))
    script(laptop, "Report", REPORT)
    (laptop.folder / "broken").touch()
    played = laptop.reflow("run", "report.py")
    assert played.code == 1, played.all
    assert "[@card WARNING] This step has no card with the id 'nobody'" in played.all
    assert played.all.count("WARNING") == 1
    (laptop.folder / "broken").unlink()
    assert laptop.reflow("resume", "report.py").code == 0
    return laptop


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    return Laptop(tmp_path)


def script(laptop: Laptop, name: str, body: str) -> Path:
    """A flow as written for Metaflow, its imports too."""
    path = laptop.flow(name, body)
    text = path.read_text().replace(
        "from reflow import *\nimport os, sys, time\n", HEADER + "import sys, time\n"
    )
    path.write_text(text)
    return path
