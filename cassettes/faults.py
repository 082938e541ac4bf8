"""Faults that a replay injects: which of its rules strike a call.

Each rule counts the calls (or runs) of a session that its WHERE names. `#2`, `#2-4` and `#3+` choose by that count; `%10`
strikes ten of a hundred, by a hash of the seed, the session's name, the rule and the count. So the same calls of a session
meet the same faults, whatever other sessions do. What stands behind `~` in the name does not count: a test meets the same
faults whichever of its parallel instances it is.

Nothing here waits or writes; `proxy.injection` does.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

from .errors import UsageError
from .fault_rules import Rule
from .operations import find_operation, split_target

MOST_RULES = 100


class Faults:
    """The rules of a replay, and how often each has struck. Rules are given as text or parsed."""

    def __init__(self, rules: Iterable[str | Rule], *, seed: int = 0) -> None:
        self.rules = tuple(rule if isinstance(rule, Rule) else Rule.parse(rule) for rule in rules)
        if len(self.rules) > MOST_RULES:
            raise UsageError(f"{len(self.rules)} faults are more than the {MOST_RULES} that a replay takes")
        self.seed = seed
        self.struck: Counter[str] = Counter()

    def counts(self, session: str) -> "Counts":
        """The counts of a session that begins."""
        return Counts(self, session.partition("~")[0])

    def strikes(self, rule: Rule, session: str, count: int) -> bool:
        """Whether a rule strikes the `count`th call (from 1) that it names in a session."""
        if count < rule.first or (rule.last is not None and count > rule.last):
            return False
        if rule.chance >= 100:
            return True
        said = f"{self.seed}\0{session}\0{rule.text}\0{count}".encode()
        drawn = int.from_bytes(hashlib.blake2b(said, digest_size=8, person=b"respool-fault").digest(), "big")
        return drawn / 2**64 * 100 < rule.chance


class Counts:
    """How many calls and runs of one session each rule has named so far."""

    def __init__(self, faults: Faults, session: str) -> None:
        self._faults = faults
        self._session = session
        self._counts = [0] * len(faults.rules)

    def call(self, method: str, target: bytes, *, streams: bool) -> list[Rule]:
        """Count a call; returns the rules that strike it, the first of each kind of effect."""
        _, path, _ = split_target(target)
        operation, _ = find_operation(method, path)
        name = operation.name if operation else ""
        shown = path.decode("latin-1")
        return self._strike(
            [not rule.of_runs and rule.names(method, shown, name, streams=streams) for rule in self._faults.rules]
        )

    def run(self) -> list[Rule]:
        """Count a run that was created; returns the rules that strike it: an end, another question, or both."""
        return self._strike([rule.of_runs for rule in self._faults.rules])

    def tell(self, rule: Rule) -> None:
        """Count that a rule has struck, for the summary."""
        self._faults.struck[rule.text] += 1

    def _strike(self, named: Sequence[bool]) -> list[Rule]:
        struck: dict[type, Rule] = {}
        for at, rule in enumerate(self._faults.rules):
            if named[at]:
                self._counts[at] += 1
                if self._faults.strikes(rule, self._session, self._counts[at]):
                    struck.setdefault(type(rule.effect), rule)
        return list(struck.values())
