"""How a recording begins and how it ends, on the command line: what opens the file, what is said, and that it is made small."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import __version__
from ..cassettes.amounts import are, counted, size
from ..cassettes.errors import CassetteError, RespoolError
from ..cassettes.file_names import sibling
from ..cassettes.reader import Reader
from ..cassettes.rules import Rules
from ..cassettes.secrets.cleaning import Cleaning
from ..cassettes.secrets.policy import PLAIN, policy_of_notes
from ..cassettes.settings import as_toml, notes_of, settings_for
from ..cassettes.storage import keep_partial
from ..cassettes.writer import Writer
from ..proxy.record import Recorder
from ..proxy.upstream import Origin, Upstream
from .loop import Stop, Stopped
from .running import narrate

PACKED_FROM, PACKED_TO = 4 << 20, 64 << 20
"""Bytes of a recording from which on it is packed when it ends, and up to which that takes a few seconds at most."""


def pack_finished(path: Path, stop: Stop) -> None:
    """Make a finished cassette small, unless that would keep the user waiting: a second signal leaves it as it is."""
    from ..cassettes.packing import pack_in_place

    def hurried(*_: int) -> None:
        if stop.hurry.is_set():
            raise Stopped("respool is stopping")

    try:
        if path.stat().st_size > PACKED_TO:
            narrate(f"respool: `respool pack {path}` makes it some ten times smaller")
            return
        before, after = pack_in_place(path, progress=hurried)
        narrate(f"respool: packed it from {size(before)} to {size(after)}")
    except (RespoolError, OSError) as error:
        narrate(f"respool: it is left unpacked: {error}")


def begin(arguments: argparse.Namespace, path: Path, cleaning: Cleaning, upstream: Upstream) -> Writer:
    if arguments.append and path.exists():
        writer = Writer.append_to(path, durable=arguments.durable)
        if writer.warning:
            narrate(f"respool: {writer.warning}")
        with Reader.open(path) as reader:
            _warn_of_another_upstream(reader, upstream)
            _warn_of_new_rules(arguments, reader)
            _warn_of_another_redaction(reader, cleaning)
        return writer
    if getattr(arguments, "mode", "") == "auto" and os.path.lexists(sibling(path, ".partial")):
        narrate(f"respool: an interrupted recording is kept as {keep_partial(path)}")
    meta = meta_of(arguments, path, upstream.origin, cleaning)
    return Writer.create(path, meta=meta, overwrite=arguments.overwrite, durable=arguments.durable)


def meta_of(arguments: argparse.Namespace, path: Path, origin: Origin, cleaning: Cleaning) -> dict[str, Any]:
    """What opens a new cassette; the rules are among it, wherever they were found, so that they go where it goes."""
    notes = notes_of(rules_of(arguments, path)) | (cleaning.policy or PLAIN).note()
    return {"created_by": f"respool {__version__}", "upstream": origin.url, **notes}


def check_rules(arguments: argparse.Namespace, path: Path | None) -> None:
    """Raises UsageError where a rule for a new cassette, or a file with rules, cannot be used."""
    settings_for(path, ignore=arguments.ignore, match_headers=arguments.match_header)


def told(recorder: Recorder, writer: Writer, added: int) -> int:
    """Say how a recording ended; returns the exit status."""
    if recorder.failed is not None:
        narrate(f"respool: the recording is not whole: {recorder.failed.message}")
        narrate(f"  the {counted(added, 'call')} before that {are(added)} kept; {recorder.failed.hint}".rstrip("; "))
        return CassetteError.exit_status
    if not added and not recorder.lost:
        appended = writer.count > 0
        narrate(
            f"respool: no calls came, so {f'nothing was added to {writer.path}' if appended else 'no cassette was written'}"
        )
        return 0
    narrate(f"respool: recorded {counted(added, 'call')} to {writer.path} ({size(writer.bytes_written)} written)")
    if recorder.failures:
        narrate(f"respool: {failed_upstream(recorder.failures)}")
    if recorder.cut:
        narrate(f"respool: {cut_here(recorder.cut)}")
    if recorder.lost:
        narrate(f"respool: {counted(recorder.lost, 'call')} could not be recorded, see above")
        return CassetteError.exit_status
    return 0


def failed_upstream(calls: int) -> str:
    return f"{counted(calls, 'call')} failed at the upstream, and {are(calls)} recorded as failed"


def cut_here(calls: int) -> str:
    ran = "was" if calls == 1 else "were"
    return f"{counted(calls, 'call')} {ran} still running when respool was stopped, and {are(calls)} recorded as cut"


def _warn_of_another_upstream(reader: Reader, upstream: Upstream) -> None:
    before = reader.meta.get("upstream")
    if isinstance(before, str) and before != upstream.origin.url:
        narrate(
            f"respool: {reader.path} was recorded from {before}; what is added now comes from {upstream.origin.url}"
        )


def _warn_of_another_redaction(reader: Reader, cleaning: Cleaning) -> None:
    """What is added is redacted as the cassette was, so that one request stays one."""
    if policy_of_notes(reader.meta) != cleaning.policy and cleaning.policy != PLAIN:
        narrate(
            f"respool: {reader.path} has rules of redaction of its own, and what is added goes by them; to have others, "
            "record anew"
        )


def _warn_of_new_rules(arguments: argparse.Namespace, reader: Reader) -> None:
    """The notes of a cassette stand at its head and are never written again."""
    new = settings_for(
        reader.path, ignore=arguments.ignore, match_headers=arguments.match_header, notes=reader.meta
    ).left_behind
    if new:
        narrate(
            f"respool: {reader.path} cannot be given rules any more; for a replay to have them, write into "
            f"{reader.path.name}.toml beside it: {as_toml(new)}"
        )


def rules_of(arguments: argparse.Namespace, path: Path, notes: Mapping[str, Any] | None = None) -> Rules:
    """The rules for a cassette, said on stderr: the command line's, its own (`notes`), and those that stand beside it."""
    settings = settings_for(path, ignore=arguments.ignore, match_headers=arguments.match_header, notes=notes)
    if settings.rules:
        narrate(f"respool: {settings}")
    return settings.rules
