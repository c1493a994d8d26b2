"""EventsTimeline."""

from __future__ import annotations

from reflow.cards import EventsTimeline, Markdown


def test_the_latest_event_comes_first_and_all_are_counted() -> None:
    events = EventsTimeline("Work", max_events=2)
    for number in range(5):
        events.update({"item": f"number {number}"})
    html = events.render()
    assert html.index("number 4") < html.index("number 3")
    assert "number 2" not in html
    assert "5 events, the latest 2 of them here" in html
    assert events.get_stats() == {"total_events": 5, "displayed_events": 2, "finished": False}


def test_an_event_keeps_what_it_was_added_with() -> None:
    data = {"state": "before"}
    events = EventsTimeline()
    events.update(data)
    data["state"] = "after"
    assert "before" in events.render()


def test_values_are_text_and_payloads_components() -> None:
    events = EventsTimeline("<i>")
    events.update(
        {"said": "<script>"}, style_theme="error", payloads={"note": Markdown("**x**"), "raw": "<b>y</b>"}
    )
    html = events.render()
    assert "<script" not in html
    assert "<i>" not in html
    assert "<strong>x</strong>" in html
    assert "&lt;b&gt;y" in html
    assert 'class="event danger"' in html


def test_a_theme_is_never_markup() -> None:
    events = EventsTimeline()
    events.update({}, style_theme='x" onclick="y', priority="high", finished=True)
    html = events.render()
    assert "onclick" not in html
    assert "<b>high</b>" in html
    assert "finished" in html
