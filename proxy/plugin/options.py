"""What a marker says about the replay itself: which recorded answer a request gets, how fast, and what goes wrong on purpose."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from ...cassettes.errors import UsageError

_POLLS = ("compress", "recorded")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of `respool replay`, for one test. Equal ones share an open cassette."""

    polls: str = "compress"
    strict: bool = False
    late_binding: bool = True
    ignore: tuple[str, ...] = ()
    match_headers: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    fault_seed: int = 0
    pace: str = "instant"

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> "Options":
        """Read what markers and tables said. Raises UsageError for what there is not, or what is of another type."""
        known = {field.name: field.default for field in fields(cls)}
        read: dict[str, Any] = {}
        for name, value in said.items():
            if name not in known:
                raise UsageError(
                    f"@pytest.mark.cassette has no option {name!r}", f"it takes mode, unplayed, {', '.join(known)}"
                )
            if isinstance(known[name], tuple):
                # One text by itself would be taken for a list of its letters.
                if not isinstance(value, list | tuple) or not all(isinstance(text, str) for text in value):
                    raise UsageError(
                        f"@pytest.mark.cassette({name}={value!r}): it is a list of texts", f'such as {name}=["..."]'
                    )
                value = tuple(value)
            elif type(value) is not type(known[name]):
                kind = type(known[name]).__name__
                raise UsageError(f"@pytest.mark.cassette({name}={value!r}): it is of the type {kind}")
            read[name] = value
        options = cls(**read)
        if options.polls not in _POLLS:
            raise UsageError(f"@pytest.mark.cassette(polls={options.polls!r}): it is one of {', '.join(_POLLS)}")
        options._check()
        return options

    def _check(self) -> None:
        """Raise UsageError for rules, faults or a pace that a replay would refuse: a recording tells of them too."""
        # Loaded here, because few tests have any of them, and pytest loads this module at each start.
        if self.ignore or self.match_headers:
            from ...cassettes.rules import Rules

            Rules.of(self.ignore, self.match_headers)
        if self.faults:
            from ...cassettes.faults import Faults

            Faults(self.faults)
        if self.pace != "instant":
            from ..pace import Pace

            Pace.parse(self.pace)
