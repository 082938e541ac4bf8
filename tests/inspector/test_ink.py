"""A state is told by a sign, not by its ink alone."""

import pytest
from respool.inspector.ink import INKS, mood, sign


@pytest.mark.parametrize(
    "state", ["completed", "failed", "expired", "cancelled", "incomplete", "queued", "in_progress"]
)
def test_each_state_has_an_ink_with_a_sign(state):
    assert mood(state) in INKS
    assert sign(mood(state))


def test_what_is_no_state_is_taken_for_one_that_is_not_over():
    assert sign(mood("completed")) != sign(mood("failed")) != sign(mood("made up"))
