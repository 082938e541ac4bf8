"""The setting that would make a request match, ready to paste; only one that was tried and does.

Where each field that differs looks as if it changes from run to run (see `volatile`), leaving all of them out is advised.
Where one does not, no setting is: to leave out a prompt or a model would hide a change, not fix a test.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from .differences import MOST, Difference
from .errors import UsageError
from .interaction import Request
from .keys import request_key
from .rules import Rules


@dataclass(frozen=True, slots=True)
class Setting:
    """Ignore rules to add."""

    ignore: tuple[str, ...]

    @property
    def options(self) -> str:
        """As options of the command line."""
        return " ".join("--ignore '" + rule.replace("'", "'\\''") + "'" for rule in self.ignore)

    @property
    def toml(self) -> str:
        """As a line of `[tool.respool]` in pyproject.toml."""
        return f"ignore = {json.dumps(self.ignore, ensure_ascii=False)}"


def setting_for(
    rules: Rules, differences: Sequence[Difference], recorded: tuple[Request, int], asked: Request, variant: int
) -> Setting | None:
    """The rules that, beside those in effect, make `asked` the same as `recorded` (a request and its variant)."""
    found = tuple(dict.fromkeys(difference.rule for difference in differences))
    if not found or "" in found or len(differences) >= MOST:
        return None
    try:
        wider = Rules.of((*rules.ignore, *found), rules.match_headers, policy=rules.policy)
    except UsageError:
        return None
    keys = {request_key(side, rules=wider, variant=of) for side, of in (recorded, (asked, variant))}
    return Setting(found) if len(keys) == 1 else None
