"""The few ways in which text is set apart, and what a state looks like. Which colours they are, the screen decides.

A state is never told by colour alone: its word and a sign stand beside it.
"""

from typing import Literal

Ink = Literal["", "strong", "name", "dim", "good", "bad", "wait", "tool"]

INKS: tuple[Ink, ...] = ("strong", "name", "dim", "good", "bad", "wait", "tool")

_MOODS: dict[str, Ink] = {
    "completed": "good",
    "failed": "bad",
    "expired": "bad",
    "cancelled": "bad",
    "incomplete": "bad",
}
_SIGNS: dict[Ink, str] = {"good": "✓", "bad": "!", "wait": "…"}


def mood(status: str) -> Ink:
    """The ink of a run's or a step's state; every state that is not final waits."""
    return _MOODS.get(status, "wait")


def sign(ink: Ink) -> str:
    """The sign that stands beside a state of this ink."""
    return _SIGNS.get(ink, "")
