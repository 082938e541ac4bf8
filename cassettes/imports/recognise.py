"""Which recorder wrote a file: told by what is in it, never by its name.

`open_recording` yields the calls of any file that can be imported, and names the format of one that cannot.
"""

import os
import re
import stat
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ..amounts import counted
from ..errors import CassetteError
from ..format import MAGIC
from ..text import safe
from . import azure, cassetter, har, json_source, mitmproxy, stored, tnetstring, vcr_py, vcr_ruby, yaml_source
from .fields import Allowance, Entry, Field
from .har_pieces import pieces_of
from .wire import Exchange

MOST_FILE = 256 << 20
CALL_COSTS = 4096
"""What a call takes of the allowance besides its bytes: through aliases, six bytes of a file may be one."""

READABLE = (
    "Cassettes of VCR.py, Ruby VCR and cassetter (YAML or JSON), recordings of Azure's test proxy, mitmproxy flows, HAR and "
    "respool's own JSON Lines can be imported by this version."
)


class Format(NamedTuple):
    """Who writes a form, how a call of it is read, and what no file of it holds."""

    name: str
    read: Callable[[Field], Exchange]
    lacks: str = ""


FORMATS = {
    vcr_py.KEY: Format(vcr_py.NAME, vcr_py.read, vcr_py.LACKS),
    vcr_ruby.KEY: Format(vcr_ruby.NAME, vcr_ruby.read),
    har.KEY: Format(har.NAME, har.read),
    azure.KEY: Format(azure.NAME, azure.read, azure.LACKS),
}
"""The field that holds the calls, and who writes it."""

CASSETTER = Format(cassetter.NAME, cassetter.read, cassetter.LACKS)
"""Calls under the name that VCR.py uses, told apart by themselves."""

_FOREIGN_BYTES = (
    (MAGIC, "a respool cassette already"),
    (b"\x1f\x8b", "gzip: unpack it first"),
    (b"PK\x03\x04", "a ZIP archive: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "zstd: unpack it first"),
    (b"\xd4\xc3\xb2\xa1", "a packet capture"),
    (b"\x0a\x0d\x0d\x0a", "a packet capture"),
    (b"SQLite format 3\0", "an SQLite database"),
)
_FOREIGN_KEYS = (
    ({"log"}, "HAR without a list of entries"),
    ({"consumer", "provider"}, "a Pact contract"),
    ({"imposters"}, "a Mountebank file"),
    ({"predicates", "stubs"}, "a Mountebank file"),
    ({"mappings"}, "WireMock's"),
    ({"request", "response"}, "WireMock's"),
    ({"info", "item"}, "a Postman collection"),
    ({"openapi"}, "an OpenAPI description, not a recording"),
    ({"swagger"}, "an OpenAPI description, not a recording"),
)
_TOML = re.compile(rb"version = [0-9]+\r?\n\s*\[\[interactions\]\]")


@dataclass(slots=True)
class Recording:
    """A file as it was read: who wrote it (`format`, empty until known) and its calls, in the order of the file.

    `head` is what respool's own export says of the cassette, and `notes` what was left out.
    """

    path: Path
    format: str
    exchanges: list[Exchange]
    head: stored.Head | None = None
    notes: list[str] = field(default_factory=list)


def open_recording(path: Path, allowance: Allowance) -> Recording:
    """Read a whole file. Raises CassetteError for what cannot be imported, naming the file and the place in it."""
    name = safe(str(path))
    data = _bytes_of(path, name)
    for magic, what in _FOREIGN_BYTES:
        if data.startswith(magic):
            raise CassetteError(f"{name} is {what}", READABLE)
    if _TOML.match(data):
        raise CassetteError(f"{name} is a cassetter cassette in TOML", f"`cassetter convert {name} OUT.yaml` first.")
    recording = Recording(path, "", [])
    if tnetstring.START.match(data):
        _read_flows(recording, data, name, allowance)
        return recording
    if stored.FORMAT.encode() in data[:200].partition(b"\n")[0]:
        _read_lines(recording, data, name, allowance)
        return recording
    spelling = "JSON" if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"{", b"["} else "YAML"
    if spelling == "JSON":
        fields = _json_fields(data, name, recording, allowance)
    else:
        fields = yaml_source.read(data, name, FORMATS)
    formats: list[Format] = []
    others: dict[str, Field] = {}
    holders: set[str] = set()
    for entry in fields:
        place = Field(entry.node, name, entry.name, allowance)
        if entry.name not in FORMATS:
            others[entry.name] = place
            continue
        holders.add(entry.name)
        if len(holders) > 1:
            both = " and ".join(f"`{each}`" for each in sorted(holders))
            place.fail(f"the file has {both}; no recorder writes both", READABLE)
        if entry.item is None:
            items: Iterator[Field] = place.items()
        else:
            items = iter((Field(entry.node, name, f"{entry.name}[{entry.item}]", allowance),))
        for item in items:
            allowance.spend(CALL_COSTS, item)
            formats.append(_format_of(entry.name, item))
            recording.exchanges.append(formats[-1].read(item))
    if not holders:
        raise CassetteError(f"{name} {_foreign(others)}", READABLE)
    known = formats[0] if formats else FORMATS[holders.pop()]
    recording.format = known.name if known.name == har.NAME else f"{known.name} {spelling}"
    _finish(recording, known, others)
    return recording


def _format_of(holder: str, item: Field) -> Format:
    return CASSETTER if holder == cassetter.KEY and cassetter.wrote(item) else FORMATS[holder]


def _finish(recording: Recording, known: Format, others: Mapping[str, Field]) -> None:
    """Hold the rest of the file against what its recorder writes, and put calls in order that are not."""
    version = others.get("version")
    if version is not None and known.name == vcr_py.NAME:
        vcr_py.check(version)
    elif version is not None and known is CASSETTER:
        cassetter.check(version)
    if known is CASSETTER:
        recording.notes += cassetter.left_out(others)
        undated = sum(not call.recorded for call in recording.exchanges)
        if undated:
            recording.notes.append(
                f"the order may be another: cassetter sorts calls by method and address, and {undated:,} do not say when"
            )
        elif recording.exchanges:
            _by_time(recording)
    elif known.name == azure.NAME:
        recording.notes += azure.left_out(others)
    elif known.name == har.NAME:
        _by_time(recording)
    if known.lacks and recording.exchanges:
        recording.notes.append(known.lacks)


def _read_flows(recording: Recording, data: bytes, name: str, allowance: Allowance) -> None:
    """Read mitmproxy's flows."""
    recording.format = mitmproxy.NAME
    others = 0
    calls: dict[str, Exchange] = {}  # by id: mitmproxy saves a flow twice that had an answer and an error
    for number, node in enumerate(tnetstring.read(data, name), 1):
        flow = Field(node, name, f"flow {number}", allowance)
        allowance.spend(CALL_COSTS, flow)
        mitmproxy.check(flow)
        if mitmproxy.is_call(flow):
            calls[mitmproxy.id_of(flow) or f"flow {number}"] = mitmproxy.read(flow)
        else:
            others += 1
    recording.exchanges += calls.values()
    _leave_out(recording, others, "flow")
    _by_time(recording)


def _leave_out(recording: Recording, count: int, one: str, many: str = "") -> None:
    if count:
        recording.notes.append(f"left out, being no calls over HTTP: {counted(count, one, many or one + 's')}")


def _read_lines(recording: Recording, data: bytes, name: str, allowance: Allowance) -> None:
    """Read respool's JSON Lines."""
    recording.format = stored.NAME
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        place = Field(json_source.node(json_source.read(line, name), name), name, f"line {number}", allowance)
        if number == 1:
            recording.head = stored.head_of(place)
        else:
            allowance.spend(CALL_COSTS, place)
            recording.exchanges.append(stored.read(place))


def _by_time(recording: Recording) -> None:
    """Calls by their time, as HAR's readers are to put them; those of respool stand in order of arrival."""
    calls = recording.exchanges
    if all(call.stored is None and call.when_us is not None for call in calls):
        calls.sort(key=lambda call: call.when_us or 0)


def _bytes_of(path: Path, name: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a FIFO is refused, not waited for
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise CassetteError(f"{name} is not a regular file", "Name the recording files one by one.")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                data = file.read(MOST_FILE + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise CassetteError(f"{name} cannot be read: {error.strerror}") from None
    if len(data) > MOST_FILE:
        raise CassetteError(f"{name} is larger than the {MOST_FILE:,} bytes that are read at most")
    if not data.strip():
        raise CassetteError(f"{name} is empty")
    return data


def _json_fields(data: bytes, name: str, recording: Recording, allowance: Allowance) -> Iterator[Entry]:
    pieces = pieces_of(data) if len(data) > json_source.MOST_BYTES else None
    top = json_source.read(data if pieces is None else pieces.rest, name)
    entries = har.entries_of(top)
    if entries is not None:
        log = top["log"]
        about = log.get("_respool") if isinstance(log, dict) else None
        if about is not None:
            recording.head = stored.head_of(Field(json_source.node(about, name), name, "log._respool", allowance))
        if pieces is not None:
            entries = (har.kept(json_source.read(data[begin:end], name)) for begin, end in pieces.entries)
        others = 0
        for index, entry in enumerate(entries):
            if har.is_web(entry):
                yield Entry(har.KEY, index, json_source.node(entry, name))
            else:
                others += 1
        _leave_out(recording, others, "entry", "entries")
        top = dict[str, object]({har.KEY: []})
    if not FORMATS.keys() & top.keys() or {"consumer", "provider"} <= top.keys():
        raise CassetteError(f"{name} {_foreign(top)}", READABLE)
    yield from json_source.entries(top, name, FORMATS)


def _foreign(seen: Collection[str]) -> str:
    for keys, what in _FOREIGN_KEYS:
        if keys <= set(seen):
            return f"is {what}, and this version cannot read it"
    return "is no recording that this version knows"
