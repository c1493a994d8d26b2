"""Secrets don't get through, however a stream is cut."""

from __future__ import annotations

import pytest

from reflow.task.hiding import Hider, hidden


@pytest.mark.parametrize("cut", range(1, 30))
def test_a_secret_is_hidden_wherever_the_stream_is_cut(cut: int) -> None:
    hider = Hider()
    hider.learn(["hunter2", "hunt"])
    text = b"say hunter2 and hunter, hunter2!"
    shown = hider.feed("stdout", text[:cut]) + hider.feed("stdout", text[cut:]) + hider.rest("stdout")
    assert shown == b"say *** and ***er, ***!"


def test_two_streams_do_not_mix() -> None:
    hider = Hider()
    hider.learn(["secret"])
    assert hider.feed("stdout", b"sec") == b""
    assert hider.feed("stderr", b"ret") == b"ret"
    assert hider.rest("stdout") == b"sec"


def test_what_to_hide_is_learnt_from_a_line_before_the_outcome() -> None:
    hider = Hider()
    assert hider.heard(b'{"hide":["abcd"]}\n{"record"') == b'{"record"'
    assert hider.feed("stdout", b"x abcd\n") == b"x ***\n"
    assert hidden("abcd", ["abcd"]) == "***"
