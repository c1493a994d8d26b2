"""What `from reflow import …` gives."""

from __future__ import annotations

import pytest

import reflow
from reflow import sdk


def test_every_name_of_the_sdk_can_be_imported_from_reflow() -> None:
    for name in sdk.__all__:
        assert getattr(reflow, name) is getattr(sdk, name)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing_like_it'"):
        reflow.nothing_like_it  # noqa: B018
