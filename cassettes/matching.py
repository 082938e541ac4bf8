"""The settings that decide which recording answers a request: one value, from the command line to the tape.

What the settings mean stands where each is obeyed; here they only travel together.
"""

from dataclasses import dataclass

from .rules import NO_RULES, Rules
from .tape import Polls


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """How requests are matched.

    `polls`: "compress" serves only state changes, "recorded" every poll. `strict`: a read that was recorded only later in
    its thread is a miss. `rules`: what of a request does not count, or counts besides (see `settings.settings_for`).
    `late_binding`: threads created by equal calls are told apart by what is asked of them.
    """

    polls: Polls = "compress"
    strict: bool = False
    rules: Rules = NO_RULES
    late_binding: bool = True
