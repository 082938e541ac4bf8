"""The one family of errors: whose fault it is, what happened, what to do, and the exit status.

A command prints `message` and then `hint`, and leaves with `exit_status`; nothing else of an error is shown.
"""

from typing import ClassVar


class RespoolError(Exception):
    """Base of every error that respool raises on purpose.

    `message` says what happened and where; `hint` says what to do about it (empty when there is nothing to do).
    """

    exit_status: ClassVar[int] = 1
    lines: tuple[str, ...] = ()
    """Lines to show between message and hint, each as it is: what was given, say, and a caret below the place."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(RespoolError):
    """The call was wrong: an option, an argument, a busy port. Exit status 2."""

    exit_status = 2


class CassetteError(RespoolError):
    """The recording: unreadable, damaged, foreign, newer than this version, in the way, or locked. Exit status 3."""

    exit_status = 3


class DamagedCassetteError(CassetteError):
    """A cassette that is one of ours but is not whole. Says what was lost and how to keep the rest."""


class UpstreamError(RespoolError):
    """The upstream or the network: refused, unreachable, not speaking HTTP. Exit status 4."""

    exit_status = 4
    retry: ClassVar[bool] = True
    """Whether a client may try again."""
