"""Cards as a browser shows them, with no network: whole, without a script, and without a complaint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cards.browser import Page, browser, found
from tests.integration.local.laptop import Laptop

pytestmark = pytest.mark.timeout(600)  # CI may have to install a browser

HARM = "<script>document.title='harmed'</script><img src=x onerror=\"document.title='harmed'\">"
FLOW = f'''
from reflow import FlowSpec, Parameter, card, current, step
from reflow.cards import *

HARM = """{HARM}"""
CLICK = "[click](javascript:document.title='harmed') ![far](https://example.com/far.png)"
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415478da63f8cfc0000003010100"
    "f7030141a80000000049454e44ae426082"
)
BARS = {{
    "data": {{"values": [{{"name": HARM, "n": 10}}, {{"name": "b", "n": 40}}]}},
    "mark": "bar",
    "encoding": {{"x": {{"field": "name", "type": "nominal"}}, "y": {{"field": "n", "type": "quantitative"}}}},
}}

class Shown(FlowSpec):
    alpha = Parameter("alpha", default=HARM)

    @card(id="all")
    @card(type="blank", id="unsafe", options={{"title": HARM}})
    @step
    def start(self):
        self.harm = HARM
        all = current.card["all"]
        all.append(Markdown("# Title\\n\\n- *one*\\n\\n" + HARM + "\\n\\n" + CLICK))
        all.append(Table([[HARM, 1], [Markdown("**two**"), ProgressBar(4, value=1)]], headers=["a", HARM]))
        all.append(Image(PIXEL, label=HARM))
        all.append(VegaChart(BARS))
        bar = ProgressBar(max=8, label=HARM, unit="epochs")
        all.append(bar)
        bar.update(6, metadata=HARM)
        all.append(Error(ValueError(HARM)))
        all.append(Artifact({{"k": HARM}}, HARM))
        all.append(ValueBox(HARM, HARM, theme=HARM))
        events = EventsTimeline(HARM)
        events.update({{HARM: HARM}}, style_theme=HARM)
        all.append(events)
        current.card["unsafe"].append(Markdown("text"))

        class Own(MetaflowCardComponent):  # users' HTML stands in the page as it is
            def render(self):
                return HARM + '<link rel="stylesheet" href="https://example.com/a.css"><p id="own">own</p>'

        current.card["unsafe"].append(Own())
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    Shown()
'''


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the cards' files."""
    laptop = Laptop(tmp_path_factory.mktemp("shown"))
    laptop.write("shown.py", FLOW)
    done = laptop.run("shown.py")
    assert done.code == 0, done.all
    for id in ("all", "unsafe"):
        assert laptop.play("shown.py", "card", "get", "start", f"{id}.html", "--id", id).code == 0
    return laptop.folder


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    program = found()
    if program is None:
        pytest.skip("no Chromium here: apt-get install chromium-headless-shell")
    with browser(program, tmp_path_factory.mktemp("profile")) as page:
        yield page


def test_a_card_needs_no_network_and_has_nothing_to_complain_about(page: Page, cards: Path) -> None:
    seen = page.open(cards / "all.html")
    assert seen.complaints == []
    assert seen.asked == []


def test_values_never_become_markup(page: Page, cards: Path) -> None:
    page.open(cards / "all.html")
    assert page.evaluate("document.title").startswith("Shown/1/start/0")
    assert page.evaluate("document.querySelectorAll('script, iframe, object, link').length") == 0
    assert page.evaluate("document.querySelectorAll('[onerror]').length") == 0
    assert page.evaluate("[...document.images].map(one => [one.src.slice(0, 15), one.naturalWidth])") == [
        ["data:image/png;", 1]
    ]
    links = page.evaluate("[...document.links].map(one => one.href)")
    assert all(link.startswith("https://") for link in links), links


def test_what_was_appended_can_be_seen(page: Page, cards: Path) -> None:
    page.open(cards / "all.html")
    assert page.evaluate("[...document.querySelectorAll('progress')].map(one => one.position)") == [
        0.25,
        0.75,
    ]
    bars = page.evaluate(
        "[...document.querySelectorAll('figure.chart svg rect')].map(one => one.getBoundingClientRect().height)"
    )
    assert len(bars) == 2
    assert max(bars) / min(bars) == pytest.approx(4, rel=0.02)  # as the numbers that they stand for
    assert page.evaluate("document.querySelector('.wide svg').getBoundingClientRect().height") > 60


def test_even_a_users_own_markup_runs_nothing_and_fetches_nothing(page: Page, cards: Path) -> None:
    seen = page.open(cards / "unsafe.html")
    assert page.evaluate("document.querySelector('#own').textContent") == "own"
    assert page.evaluate("document.title") != "harmed"
    assert len(seen.complaints) >= 3  # the script, the handler, the style sheet
    assert all("Content Security Policy" in one for one in seen.complaints), seen.complaints
    assert seen.asked == []
