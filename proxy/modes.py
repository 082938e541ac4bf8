"""What is done with a cassette, decided by one table: how it was asked for, and what is there.

`look` finds out what is there, `decide` reads the table, and nothing is changed by either. The command line decides once for
its cassette; a folder decides for each cassette at its first use. The table in docs/modes.md is made from this one.

Two rules stand behind it. What was recorded is never lost without a flag that says so. And a recording that may have
ended too early is never replayed by `auto`, which nobody watches; `replay`, which names it, serves what is whole and says so.
"""

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ..cassettes.errors import CassetteError, DamagedCassetteError, UsageError
from ..cassettes.file_names import sibling
from ..cassettes.lock import CassetteInUseError, holder, is_locked
from ..cassettes.reader import Reader
from ..cassettes.source import open_regular


class Way(StrEnum):
    """How a cassette is asked for: the mode, and of `record` the flag. (`live` has no cassette.)"""

    RECORD = "record"
    APPEND = "record --append"
    OVERWRITE = "record --overwrite"
    REPLAY = "replay"
    AUTO = "auto"


class State(StrEnum):
    """What is there by the cassette's name."""

    ABSENT = "nothing"
    CUT_SHORT = "only the `.partial` of an interrupted recording"
    RECORDING = "only the `.partial` of a recording in progress"
    SEALED = "a whole cassette"
    RERECORDING = "a whole cassette that is being recorded anew"
    APPENDING = "a cassette that is being added to"
    UNSEALED = "a cassette without a seal: its writer was interrupted"
    DAMAGED = "a damaged cassette"
    FOREIGN = "something else, or a cassette that cannot be read"


class Action(StrEnum):
    """What is done."""

    RECORD = "record"
    ANEW = "keep the `.partial` as `.cut-N`, record"
    APPEND = "add to it"
    OVERWRITE = "record, replace it at the end"
    REPLAY = "replay"
    REPLAY_WHOLE = "replay what is whole, say so"
    REFUSE = "refuse"

    @property
    def mode(self) -> str:
        """The mode that it comes to: `replay` or `record`."""
        return "replay" if self in (Action.REPLAY, Action.REPLAY_WHOLE) else "record"


@dataclass(frozen=True, slots=True)
class Decision:
    """One cell of the table. A refusal says what and why; `exit_status` is its status."""

    action: Action
    message: str = ""
    hint: str = ""
    kind: type[CassetteError] = CassetteError

    @property
    def exit_status(self) -> int:
        return self.kind.exit_status if self.action is Action.REFUSE else 0


def _refuse(message: str, hint: str = "", kind: type[CassetteError] = CassetteError) -> Decision:
    return Decision(Action.REFUSE, message, hint, kind)


_THERE = _refuse("{path} exists already", "`--append` adds to it, `--overwrite` replaces it")
_CUT = _refuse(
    "{partial} is in the way: a recording that was cut short left it",
    "it opens as it is (`respool show {partial}`); move it away to keep it, or replace it with `--overwrite`",
)
_BUSY = _refuse(
    "another respool is recording to {path}{holder}", "stop it first, or record to another file", CassetteInUseError
)
_MISSING = _refuse("{path} does not exist")
_ONLY_PARTIAL = _refuse(
    "{path} does not exist, but {partial} does: a recording in progress, or one that was cut short",
    "it opens as it is: name {partial}",
)
_HALF = _refuse(
    "{path} was not closed cleanly, so `auto` does not take it for a whole recording",
    "`respool replay` serves what is whole; `respool doctor` says what that is, `--repair` keeps it; or move it away",
)
_DAMAGED = _refuse("{path} is damaged", "see `respool doctor`", DamagedCassetteError)
_FOREIGN = _refuse("{path} is not a cassette")
_RECORD, _ANEW, _APPEND, _OVERWRITE = (
    Decision(action) for action in (Action.RECORD, Action.ANEW, Action.APPEND, Action.OVERWRITE)
)
_REPLAY, _WHOLE = Decision(Action.REPLAY), Decision(Action.REPLAY_WHOLE)

# Columns: as in Way.
_ROWS: dict[State, tuple[Decision, Decision, Decision, Decision, Decision]] = {
    State.ABSENT: (_RECORD, _RECORD, _RECORD, _MISSING, _RECORD),
    State.CUT_SHORT: (_CUT, _CUT, _OVERWRITE, _ONLY_PARTIAL, _ANEW),
    State.RECORDING: (_BUSY, _BUSY, _BUSY, _ONLY_PARTIAL, _BUSY),
    State.SEALED: (_THERE, _APPEND, _OVERWRITE, _REPLAY, _REPLAY),
    State.RERECORDING: (_BUSY, _BUSY, _BUSY, _REPLAY, _REPLAY),
    State.APPENDING: (_BUSY, _BUSY, _BUSY, _WHOLE, _BUSY),
    State.UNSEALED: (_THERE, _APPEND, _OVERWRITE, _WHOLE, _HALF),
    State.DAMAGED: (_THERE, _DAMAGED, _OVERWRITE, _DAMAGED, _DAMAGED),
    State.FOREIGN: (_FOREIGN, _FOREIGN, _OVERWRITE, _FOREIGN, _FOREIGN),
}
TABLE: dict[tuple[State, Way], Decision] = {
    (state, way): decision for state, row in _ROWS.items() for way, decision in zip(Way, row, strict=True)
}


@dataclass(slots=True)
class Found:
    """What is there. `reader` is open where it can be read, and the caller's to close; `error` says why it cannot."""

    path: Path
    state: State
    reader: Reader | None = None
    error: CassetteError | None = None
    holder: str = ""

    def close(self) -> None:
        if self.reader is not None:
            self.reader.close()
            self.reader = None


def way_of(mode: str, *, append: bool = False, overwrite: bool = False) -> Way:
    """The column of a mode and its flags. Raises UsageError for a flag that its mode does not take."""
    if mode == "record":
        return Way.APPEND if append else Way.OVERWRITE if overwrite else Way.RECORD
    if append or overwrite:
        flag = "--append" if append else "--overwrite"
        raise UsageError(f"{flag} is for recording, and --mode {mode} decides by itself", "use it with --mode record")
    return Way(mode)


def decide(way: Way, found: Found) -> Action:
    """What is to be done. Raises CassetteError where that is to refuse."""
    decision = TABLE[found.state, way]
    if decision.action is not Action.REFUSE:
        return decision.action
    if found.error is not None and decision in (_MISSING, _ONLY_PARTIAL, _DAMAGED, _FOREIGN):
        raise found.error  # says more than the table can know
    shown = {"path": found.path, "partial": _partial(found.path), "holder": found.holder}
    raise decision.kind(decision.message.format(**shown), decision.hint.format(**shown))


def look(path: Path, *, at: int | None = None) -> Found:
    """See what is there; with `at`, by the name in that open folder, following no link. A cassette without a seal is scanned."""
    left, by_partial = _writer_of(_partial(path), at)
    try:
        fd = open_regular(path, os.O_RDONLY, at=at)
    except CassetteError as error:
        if _named(path, at):
            return Found(path, State.FOREIGN, error=error)
        state = State.ABSENT if not left else State.CUT_SHORT if by_partial is None else State.RECORDING
        return Found(path, state, error=error, holder=by_partial or "")
    try:
        by = holder(fd) if is_locked(fd) else None
    finally:
        os.close(fd)
    try:
        reader = Reader.open(path, at=at)
    except CassetteError as error:
        state = State.DAMAGED if isinstance(error, DamagedCassetteError) else State.FOREIGN
        return Found(path, state, error=error)
    if by is not None:
        return Found(path, State.APPENDING, reader, holder=by)
    if by_partial is not None:
        return Found(path, State.RERECORDING if reader.sealed else State.APPENDING, reader, holder=by_partial)
    return Found(path, State.SEALED if reader.sealed else State.UNSEALED, reader)


def table_as_markdown() -> str:
    """The table for the docs."""
    lines = [f"| there is | {' | '.join(f'`{way}`' for way in Way)} |", "|---" * (1 + len(Way)) + "|"]
    for state in State:
        cells = (TABLE[state, way] for way in Way)
        said = [f"refuse ({cell.exit_status})" if cell.exit_status else str(cell.action) for cell in cells]
        lines.append(f"| {state} | {' | '.join(said)} |")
    return "\n".join(lines) + "\n"


def _partial(path: Path) -> Path:
    return sibling(path, ".partial")


def _named(path: Path, at: int | None) -> bool:
    try:
        os.stat(path if at is None else path.name, dir_fd=at, follow_symlinks=False)
    except OSError:
        return False
    return True


def _writer_of(partial: Path, at: int | None) -> tuple[bool, str | None]:
    """Whether there is a partial, and who is writing it: None for nobody, empty where that is not known."""
    try:
        fd = open_regular(partial, os.O_RDONLY | os.O_NOFOLLOW, at=at)
    except CassetteError:
        return _named(partial, at), None
    try:
        return True, holder(fd) if is_locked(fd) else None
    finally:
        os.close(fd)
