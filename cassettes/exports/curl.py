"""A shell script that makes the calls with curl, in order of arrival.

Every byte that came from a recording is quoted: plain text in single quotes, and a body that holds anything else as the
octal escapes of `printf`, on curl's standard input. Credentials come from `$OPENAI_API_KEY`. Ids are those of the
recording: it fits a replay, and is a start for anything else.
"""

import re
from collections.abc import Iterator
from urllib.parse import quote

from ..editing import Progress
from ..interaction import Headers, Request
from ..operations import split_target
from ..slots import PLACEHOLDER
from ..text import clip, safe
from .har import NOWHERE
from .selection import REPEATS, Lost, Source, selected

MOST_ARGUMENT = 64 << 10
"""Linux takes 128 KiB in one argument."""
_CHUNK = 8_000

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_TARGET = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) != "#")
_LEFT_OUT = frozenset(
    b"""host content-length transfer-encoding connection keep-alive te trailer upgrade expect accept-encoding
    content-encoding authorization""".split()
)
"""Header lines that curl or the connection makes, or that stood for what is not there any more."""

_HEAD = """\
#!/bin/sh
# The calls of a respool cassette, in the order in which they arrived.
set -eu
base=${OPENAI_BASE_URL:-}
[ -n "$base" ] || base=%s
: "${OPENAI_API_KEY:=unused}"
"""


def export_curl(
    source: Source, *, thread: str | None = None, lost: Lost | None = None, progress: Progress | None = None
) -> Iterator[str]:
    lost = Lost() if lost is None else lost
    chosen = selected(source, thread, progress)
    upstream = source.meta.get("upstream")
    yield _HEAD % _quoted((upstream if isinstance(upstream, str) and safe(upstream) == upstream else NOWHERE).encode())
    last: dict[tuple[str, str, bytes], int] = {}
    for row, interaction in chosen:
        request = interaction.request
        key = (interaction.scope, request.method, request.target)
        if row.summary.writes:
            last = {known: answer for known, answer in last.items() if known[0] != interaction.scope}
        elif last.get(key) == row.summary.answer:
            lost[REPEATS] += 1
            continue
        last[key] = row.summary.answer
        answered = "no answer" if interaction.response is None else str(interaction.response.status)
        what = clip(request.method.encode("utf-8", "replace") + b" " + request.target, 200)
        yield f"\n# {interaction.arrival}: {what} -> {answered}\n"
        if interaction.request_cut or not _TOKEN.fullmatch(request.method.encode("utf-8", "replace")):
            lost["requests that did not arrive whole"] += 1
            yield "# left out: its request did not arrive whole\n"
        else:
            yield _call(request)


def _call(request: Request) -> str:
    _, path, query = split_target(request.target)
    target = quote(path + query, safe=_TARGET)
    words = ["curl -q -sS -g --path-as-is -w '\\n'", f"-X {_quoted(request.method.encode())}"]
    words.append(f'"$base"{_quoted(target.encode())}')
    words += [f"-H {line}" for line in _headers(request.headers)]
    before = ""
    body = request.body.read()
    if body:
        if _is_argument(body):
            words.append(f"--data-raw {_quoted(body)}")
        else:
            words.append("--data-binary @-")
            lines = [f"  printf '{_octal(body[at : at + _CHUNK])}'\n" for at in range(0, len(body), _CHUNK)]
            before = "{\n" + "".join(lines) + "} | "
    return before + " \\\n  ".join(words) + "\n"


def _headers(headers: Headers) -> Iterator[str]:
    typed = False
    for name, value in headers:
        kind = name.lower()
        typed = typed or kind == b"content-type"
        if kind == b"authorization":
            yield '"Authorization: Bearer $OPENAI_API_KEY"'
        elif kind in {b"api-key", b"x-api-key"}:
            yield f'{_quoted(name + b": ")}"$OPENAI_API_KEY"'
        elif kind in _LEFT_OUT or PLACEHOLDER in value or not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            continue
        elif value.isascii() and b"\t" not in value:
            yield _quoted(name + b": " + value if value else name + b";")  # curl's way to send an empty one
    if not typed:
        yield "'Content-Type:'"  # curl would name a form


def _is_argument(body: bytes) -> bool:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return (
        len(body) <= MOST_ARGUMENT and "\t" not in text and "\r" not in text and safe(text, keep_newlines=True) == text
    )


def _quoted(data: bytes) -> str:
    """A shell word that stands for these bytes, which are UTF-8 without NUL."""
    return "'" + data.decode("utf-8").replace("'", "'\\''") + "'"


def _octal(data: bytes) -> str:
    """A format of printf that stands for any bytes."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F and byte not in b"'\\%-" else f"\\{byte:03o}" for byte in data)
