"""respool: record, replay and inspect traffic of the threads API.

The names below are the public surface. Importing this package imports neither aiohttp nor textual: each name is loaded when it
is first asked for, and none of them loads a network or a screen.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .cassettes.errors import CassetteError, DamagedCassetteError, RespoolError, UpstreamError, UsageError
    from .cassettes.interaction import Body, End, Interaction, Request, Response
    from .cassettes.reader import Reader
    from .cassettes.reports import Report
    from .cassettes.stories import Miss, MissError
    from .proxy.plugin import Handle as Handle

__version__ = "0.1.0"

# `Handle` is not among them: it needs pytest, and `from respool import *` should not.
__all__ = [
    "Body",
    "CassetteError",
    "DamagedCassetteError",
    "End",
    "Interaction",
    "Miss",
    "MissError",
    "Reader",
    "Report",
    "Request",
    "Response",
    "RespoolError",
    "UpstreamError",
    "UsageError",
    "__version__",
]

_HOMES = {
    **dict.fromkeys(
        ("CassetteError", "DamagedCassetteError", "RespoolError", "UpstreamError", "UsageError"), "cassettes.errors"
    ),
    **dict.fromkeys(("Body", "End", "Interaction", "Request", "Response"), "cassettes.interaction"),
    "Reader": "cassettes.reader",
    "Report": "cassettes.reports",
    **dict.fromkeys(("Miss", "MissError"), "cassettes.stories"),
    "Handle": "proxy.plugin",
}

if not TYPE_CHECKING:  # a type checker knows the names above, and should complain of any other

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f".{_HOMES[name]}", __name__), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
