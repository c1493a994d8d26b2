"""Which card is meant, and what is in it."""

from __future__ import annotations

import pytest

from reflow.cards import Markdown
from reflow.cards.collecting import CardCollector, CardSpec, meant


def collector(*specs: CardSpec) -> CardCollector:
    return CardCollector(specs, lambda card, data, force: None)


def test_the_card_that_is_meant_is_the_only_one_that_shows_components() -> None:
    assert meant([CardSpec(0)]) == 0
    assert meant([CardSpec(0, id="x")]) == 0
    assert meant([CardSpec(0, type="html", editable=False), CardSpec(1, id="x")]) == 1


def test_of_several_it_is_the_customized_one_else_the_only_one_without_an_id() -> None:
    assert meant([CardSpec(0, id="x"), CardSpec(1)]) == 1
    assert meant([CardSpec(0), CardSpec(1, id="x", customize=True)]) == 1
    assert meant([CardSpec(0), CardSpec(1)]) is None
    assert meant([CardSpec(0, id="x"), CardSpec(1, id="y")]) is None
    assert meant([CardSpec(0, editable=False)]) is None


def test_components_are_found_by_their_ids_and_can_be_removed() -> None:
    card = collector(CardSpec(0), CardSpec(1, id="b"))
    card.append(Markdown("1"), id="one")
    card.extend([Markdown("2"), Markdown("3")])
    assert [key == "one" for key in card.components.keys()] == [True, False, False]  # noqa: SIM118
    card.components["one"].update("1 again")
    assert "1 again" in card.components["one"].render()
    card.components["four"] = Markdown("4")
    del card.components["one"]
    assert ("one" in card.components, "four" in card.components, len(card.components)) == (False, True, 3)
    card.append(Markdown("four again"), id="four")
    assert len(card.components) == 3
    card.clear()
    assert len(card) == 0
    card["b"] = [Markdown("b")]
    assert len(card["b"]) == 1
    assert [one.spec.id for one in card.get(type="default")] == [None, "b"]


def test_what_is_not_there_is_a_warning_once_and_nothing_fails(capsys: pytest.CaptureFixture[str]) -> None:
    card = collector(CardSpec(0, id="a"), CardSpec(1, id="a"), CardSpec(2, id="c"))
    for _ in range(3):
        card.append(Markdown("lost"))
        card["b"].append(Markdown("lost"))
        card["a"].append(Markdown("lost"))
        card.refresh()
    card["c"].append("text")
    card["c"].components["nothing"].update(1)
    warnings = capsys.readouterr().err.splitlines()
    assert [line.partition("] ")[2][:45] for line in warnings] == [
        "Several cards of this step have the id 'a', s",
        "Which of the step's cards `current.card` mean",
        "This step has no card with the id 'b': @card(",
        "This step has no card with the id 'a': @card(",
        "Which of the step's cards `current.card` mean",
        "'text' is no component, and isn't shown. Use ",
        "There is no component 'nothing' to update.",
    ]
    assert all(len(one) == 0 for one in card.cards())
