"""From what a recorder wrote down to what was on the wire: targets, header lines, bodies and times.

Shared by all formats. Everything is checked here so that a replay of a hostile file cannot smuggle a second header or
a second request into an answer.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlsplit

from ..coding import undoable
from ..interaction import Body, End, Headers, Interaction, Request, Response
from ..text import clip
from .codings import decoded, is_plain
from .fields import Field

MOST_TARGET = 64 << 10
MOST_HEADERS = 1_000
MOST_MICROSECONDS = 24 * 3600 * 1_000_000
"""A duration that a header claims is believed up to a day."""

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FOLD = re.compile(rb"\r?\n[ \t]+")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_URI = re.compile(r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*)://)?(?P<authority>[^/?#]*)(?P<rest>[^#]*)", re.DOTALL)


@dataclass(slots=True)
class Exchange:
    """One recorded call before it becomes an Interaction.

    `when_us` is what the file says of its time (Unix, microseconds), and `recorded` whether the recorder said it or the
    server's Date header. `origin` is scheme and authority, without user and password, empty where the file hides it.
    `duration_us` is None where the file knows no more than the response's `head_us`. `stored` is the whole interaction
    where respool itself wrote the file, and `key` its key where that cannot be made anew.
    """

    origin: str
    request: Request
    response: Response | None
    when_us: int | None
    recorded: bool
    losses: tuple[str, ...] = ()
    end: End = End.COMPLETE
    duration_us: int | None = None
    stored: Interaction | None = None
    key: int | None = None


def split_uri(field: Field) -> tuple[str, bytes]:
    """(origin, target) of a recorded URI. The target keeps each of its bytes; what no request line can hold (spaces,
    controls, letters beyond ASCII) is percent-encoded as RFC 3986 section 2.1 has it. A fragment is never sent."""
    text = field.text()
    match = _URI.match(text)
    if match is None or len(text) > MOST_TARGET:
        field.fail(f"a URI of at most {MOST_TARGET:,} characters is expected here")
    scheme, authority, rest = match["scheme"], match["authority"], match["rest"]
    if not _names_a_server(scheme, authority, rest):
        field.fail("this is no URI of a call: http(s)://host/path is expected here")
    if not rest.startswith("/"):
        rest = "/" + rest
    target = quote(rest.encode("utf-8", "surrogatepass"), safe="".join(map(chr, range(0x21, 0x7F)))).encode()
    host = authority.rpartition("@")[2]
    return (f"{scheme}://{host}" if scheme and host else ""), target


def _names_a_server(scheme: str | None, authority: str, rest: str) -> bool:
    """Whether the parts of a URI make sense. A host that the recorder wrote over, `<HOST>`, does; its scheme may be gone."""
    if not scheme:
        return rest.startswith("/")
    try:
        parts = urlsplit(f"//{authority}")
        return bool(parts.hostname) and ("<" in authority or parts.port != 0)
    except ValueError:  # brackets that hold no address, a port that is no number
        return False


def method_of(field: Field, *, exact: bool = False) -> str:
    text = field.text() if exact else field.text().removeprefix(":").upper()
    if not _TOKEN.fullmatch(text.encode("utf-8", "surrogatepass")) or len(text) > 32:
        field.fail("this is no HTTP method")
    return text


def headers_of(field: Field | None) -> Headers:
    """Header lines in the order of the file, from a map of names to a value or a list of values."""
    return () if field is None else header_lines(field.pairs())


def header_lines(named: Iterable[tuple[str, Field]]) -> Headers:
    """Header lines in the order given, from names and a value or a list of values for each."""
    lines: list[tuple[bytes, bytes]] = []
    for name, values in named:
        spelled = name.encode("utf-8", "surrogatepass")
        if not _TOKEN.fullmatch(spelled) or len(spelled) > 1024:
            values.fail("this is no header name")
        for value in values.items() if values.is_list else (values,):
            if len(lines) == MOST_HEADERS:
                values.fail(f"more than {MOST_HEADERS} header lines")
            value.allowance.spend(len(spelled) + 100, value)  # what a line costs here, besides its value
            lines.append((spelled, _value(value)))
    return tuple(lines)


def _value(field: Field) -> bytes:
    if field.node.value is None:
        return b""
    data = field.data()
    if not data.isascii() and isinstance(field.node.value, str):
        try:  # recorders read header bytes as Latin-1 (RFC 9110 section 5.5 allows no more than that)
            data = field.node.value.encode("latin-1")
        except UnicodeEncodeError:
            pass
    data = _FOLD.sub(b" ", data).strip(b" \t")
    if _CONTROL.search(data):
        field.fail("a header value holds a control character", "It could start a header line of its own in a replay.")
    return data


def header(headers: Headers, name: bytes) -> bytes | None:
    """The first value under a lower-case name."""
    return next((value for spelled, value in headers if spelled.lower() == name), None)


def status_of(code: Field, message: Field | None) -> tuple[int, bytes]:
    reason = b"" if message is None else _value(message)
    if _CONTROL.search(reason):
        code.fail("the status message holds a control character")
    return code.number(100, 599), reason


def undo_coding(field: Field, headers: Headers, data: bytes) -> tuple[Headers, Body, str, tuple[str, ...]]:
    """(headers, decoded body, its coding, what was lost) of a body as the recorder kept it.

    Many recorders keep a body decoded and leave its Content-Encoding: then the header is dropped, since an answer with
    both cannot be read. A coding that cannot be undone is left in place with its header.
    """
    named = header(headers, b"content-encoding")
    if not data or named is None or named.lower() in {b"", b"identity"}:
        return headers, Body.of(data), "", ()
    coding = undoable(named)
    if is_plain(coding, data):
        kept = tuple(line for line in headers if line[0].lower() != b"content-encoding")
        return kept, Body.of(data), "", ("Content-Encoding dropped: the recorder had decoded the body",)
    if coding:
        whole = decoded(coding, data)
        if whole is None:
            return headers, Body.of(data), "", (f"body kept as it was: not whole {coding}, or too large when decoded",)
        field.allowance.spend(len(whole), field)
        return headers, Body.of(whole), coding, ()
    return headers, Body.of(data), "", ("body kept in its coding, which is not read: " + clip(named, 20),)


def time_of(text: str) -> int | None:
    """Unix microseconds of an HTTP date (RFC 9110 section 5.6.7) or an ISO 8601 time; None for anything else."""
    text = text.strip()
    if len(text) > 64:
        return None
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            when = read(text)
            when = when if when.tzinfo else when.replace(tzinfo=UTC)
            micros = int(when.timestamp()) * 1_000_000 + when.microsecond
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return micros if micros >= 0 else None
    return None


def date_of(headers: Headers) -> int | None:
    value = header(headers, b"date")
    return None if value is None else time_of(value.decode("latin-1"))


def processing_us(headers: Headers) -> int:
    """What the server says it worked on the call (`openai-processing-ms`), in microseconds; 0 where it says nothing."""
    value = header(headers, b"openai-processing-ms") or b""
    if not value.isdigit() or len(value) > 9:
        return 0
    return min(int(value) * 1000, MOST_MICROSECONDS)
