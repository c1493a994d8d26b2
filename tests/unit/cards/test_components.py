"""Components on their own: what they show, what changes them, and that none fails the card."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from reflow import cards
from reflow.cards import (
    Error,
    Image,
    JSONViewer,
    Markdown,
    ProgressBar,
    PythonCode,
    Table,
    ValueBox,
    VegaChart,
    YAMLViewer,
)
from reflow.cards.parts import MetaflowCardComponent, rendered, text_of
from tests.integration.cards.reading import read

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 8


def test_all_names_can_be_imported() -> None:
    for name in cards.__all__:
        assert getattr(cards, name).__name__


def test_a_markdown_is_dedented_and_can_be_changed() -> None:
    text = Markdown("\n    # Title\n    - one\n")
    assert "<h1>Title</h1>" in text.render()
    text.update("## Other")
    assert "<h2>Other</h2>" in text.render()
    assert Markdown().render() == '<div class="markdown"></div>'


def test_a_progress_bar_moves_and_keeps_what_is_not_given() -> None:
    bar = ProgressBar(max=8, label="Epochs", unit="e", metadata="slow")
    bar.update(2)
    assert "2/8 e" in read(bar.render()).text
    assert "slow" in bar.render()
    bar.update(3, metadata="quick")
    assert 'value="3" max="8"' in bar.render()
    assert "quick" in bar.render()


def test_a_table_takes_values_and_components_and_what_has_no_text() -> None:
    class Rude:
        def __str__(self) -> str:
            raise OSError

        __repr__ = __str__

    found = read(
        Table([[1, None, 2.5, Rude()], [Markdown("*x*"), ProgressBar(), "<b>"]], headers=["a", "b"]).render()
    )
    assert found.tags.count("tr") == 3
    assert "em" in found.tags
    assert "b" not in found.tags
    assert "<no text: OSError>" in found.text


def test_a_data_frame_s_first_rows_are_shown_and_the_others_counted() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"x": range(2500), "y": ["a"] * 2500})
    found = read(Table.from_dataframe(frame).render())
    assert found.tags.count("tr") == 1001
    assert "1,500 more rows aren't shown." in found.text
    assert read(Table.from_dataframe(frame.head(2)).render()).text == "xy" + "00a" + "11a"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PNG, "png"),
        (b"\xff\xd8\xff\xe0", "jpeg"),
        (b"GIF89a", "gif"),
        (b"RIFF0000WEBP", "webp"),
        (b"<svg/>", "svg+xml"),
    ],
)
def test_a_picture_of_each_sort_is_within_the_page(data: bytes, kind: str) -> None:
    assert f'src="data:image/{kind};base64,' in Image(data, label="<l>").render()


def test_what_is_no_picture_says_so_in_its_place() -> None:
    for wrong in (b"text", "file.png", None, object()):
        assert "The picture can&#39;t be shown".replace("&#39;", "&#39;") in Image(wrong).render()


def test_a_figure_is_drawn_when_it_is_appended_and_may_be_replaced() -> None:
    def saved(target: Any, **options: Any) -> None:
        target.write(PNG)

    axes = SimpleNamespace(get_figure=lambda: SimpleNamespace(savefig=saved))
    shown = Image.from_matplotlib(axes, label="before")
    assert "data:image/png" in shown.render()
    shown.update(b"GIF89a")
    assert ["image/gif" in shown.render(), "before" in shown.render()] == [True, True]


def test_an_error_shows_its_traceback_where_it_has_one() -> None:
    try:
        raise ValueError("<no>")
    except ValueError as error:
        told = read(Error(error, title="Oh").render()).text
    assert told.startswith("Oh")
    assert "test_components.py" in told
    assert told.endswith("ValueError: <no>")


def test_a_value_box_changes_only_what_is_given() -> None:
    box = ValueBox("Users", 3, subtitle="today", theme="success")
    box.update(value=5)
    assert read(box.render()).text == "Users5today"


def test_code_and_data_are_shown_as_text() -> None:
    assert "def saved" in PythonCode(test_a_figure_is_drawn_when_it_is_appended_and_may_be_replaced).render()
    assert "a &lt; b" in PythonCode(code_string="a < b").render()
    assert "&quot;a&quot;: 1" in JSONViewer({"a": 1}, title="T").render()
    assert "a: 1" in YAMLViewer("a: 1").render()


def test_one_that_fails_says_why_and_raises_nothing() -> None:
    class Rude(MetaflowCardComponent):
        def render(self) -> str:
            raise KeyError("<x>")

    assert "Rude can&#39;t be shown" in rendered(Rude())
    assert "&lt;x&gt;" in rendered(Rude())

    class Leaving(MetaflowCardComponent):
        def render(self) -> str:
            raise SystemExit(3)

    assert "SystemExit: 3" in rendered(Leaving())
    assert rendered(SimpleNamespace(render=lambda: {"a": "<"})) == "<pre>{&#39;a&#39;: &#39;&lt;&#39;}</pre>"


def test_a_value_s_text_is_bounded_and_never_raises() -> None:
    assert len(text_of("x" * 10_000_000, 100)) == 100
    assert text_of(b"\x00<") == "b'\\x00<'"


def test_a_table_of_something_else_says_so_and_fails_no_step() -> None:
    assert "int isn&#39;t a data frame" in Table.from_dataframe(3).render()
    rows: Any = iter([[1], [2]])
    assert read(Table(rows).render()).text == "12"
    assert "TypeError: no" in VegaChart.from_altair_chart(SimpleNamespace(to_dict=_refuse)).render()


def _refuse() -> None:
    raise TypeError("no")
