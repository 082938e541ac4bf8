"""HAR 1.2, by its specification; what HAR cannot say stands in `_respool` fields, so that an import loses nothing.

Source: http://www.softwareishard.com/blog/har-12-spec/. Times of an entry: `wait` is until the response's head, `receive`
from there to its end; a proxy knows nothing of `dns`, `connect` and `ssl`. Cookies were taken out when it was recorded.
An interaction without a response has status 0, as browsers write it. All is ASCII.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from ... import __version__
from ..editing import Progress
from ..interaction import End, Headers, Interaction, Request, Response
from ..scopes import media_type
from ..summary import Row
from .fields import VERSION, base64, circumstances, lines_of, marks_of, packed, text_of
from .selection import Lost, Source, selected

NOWHERE = "http://upstream.invalid"
"""The origin of URLs where the cassette does not know its upstream (RFC 2606: it never resolves)."""

_VISIBLE = "".join(map(chr, range(0x21, 0x7F)))
_LATEST_US = 253_402_300_799_000_000
"""The end of the year 9999: no later time has a date."""


def export_har(
    source: Source, *, thread: str | None = None, lost: Lost | None = None, progress: Progress | None = None
) -> Iterator[str]:
    lost = Lost() if lost is None else lost
    chosen = selected(source, thread, progress)
    origin = _origin(source.meta.get("upstream"))
    about = {"version": VERSION, "file_id": source.file_id.hex(), "meta": packed(source.meta)}
    head = {"version": "1.2", "creator": {"name": "respool", "version": __version__}, "_respool": about}
    yield '{"log":' + _json(head)[:-1] + ',"entries":['
    between = "\n"
    for row, interaction in chosen:
        _count(interaction, lost)
        yield between + _json(_entry(interaction, row, origin))
        between = ",\n"
    yield "\n]}}\n"


def _count(interaction: Interaction, lost: Lost) -> None:
    """Count what only a `_respool` field says of a call."""
    request, response = interaction.request, interaction.response
    lost["how a call ended that was cut"] += response is not None and interaction.end is not End.COMPLETE
    lost["that a request did not arrive whole"] += interaction.request_cut
    lost["bytes of an upload that is no text"] += bool(request.body) and text_of(request.body.read()) is None
    lost["pace of a stream"] += response is not None and len(response.marks) > 1
    lost["coding of a body, which stands in it decoded"] += bool(request.coding or (response and response.coding))


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _origin(upstream: object) -> str:
    if not isinstance(upstream, str):
        return NOWHERE
    try:
        parts = urlsplit(upstream)
    except ValueError:
        return NOWHERE
    if not parts.scheme or not parts.netloc:
        return NOWHERE
    return f"{parts.scheme}://{quote(parts.netloc.rpartition('@')[2], safe=_VISIBLE)}"


def _entry(interaction: Interaction, row: Row, origin: str) -> dict[str, Any]:
    request, response = interaction.request, interaction.response
    wait_us = min(response.head_us, interaction.duration_us) if response else interaction.duration_us
    receive_us = interaction.duration_us - wait_us
    about = circumstances(interaction, row)
    about["request"] = {"target": request.target.decode("latin-1"), "coding": request.coding}
    if request.body and text_of(request.body.read()) is None:
        about["request"]["base64"] = base64(request.body.read())
    if response is not None:
        about["response"] = {
            "coding": response.coding,
            "head_us": response.head_us,
            "marks": marks_of(response.marks),
        }
    return {
        "startedDateTime": _date(interaction.started_us),
        "time": interaction.duration_us / 1000,
        "request": _request(request, origin),
        "response": _no_response(interaction) if response is None else _response(response),
        "cache": {},
        "timings": {"blocked": -1, "dns": -1, "connect": -1, "send": 0, "wait": wait_us / 1000,
                    "receive": receive_us / 1000, "ssl": -1},
        "_respool": about,
    }  # fmt: skip


def _date(started_us: int) -> str:
    when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=min(started_us, _LATEST_US))
    return when.strftime("%Y-%m-%dT%H:%M:%S.%f").rjust(26, "0") + "Z"


def _request(request: Request, origin: str) -> dict[str, Any]:
    query = request.target.partition(b"?")[2].decode("latin-1")
    told: dict[str, Any] = {
        "method": request.method,
        "url": origin + quote(request.target, safe=_VISIBLE),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers(request.headers),
        "queryString": [
            {"name": name, "value": value}
            for name, value in parse_qsl(query, keep_blank_values=True, max_num_fields=None)
        ],
        "headersSize": -1,
        "bodySize": -1 if request.coding else request.body.length,
    }
    if request.body:
        text = request.body.read().decode("utf-8", "replace")
        told["postData"] = {"mimeType": _type(request.headers), "params": [], "text": text}
    return told


def _response(response: Response) -> dict[str, Any]:
    data = response.body.read()
    text = text_of(data)
    content: dict[str, Any] = {"size": len(data), "mimeType": _type(response.headers)}
    content |= {"text": base64(data), "encoding": "base64"} if text is None else {"text": text}
    location = next((value for name, value in response.headers if name.lower() == b"location"), b"")
    return {
        "status": response.status,
        "statusText": response.reason.decode("latin-1"),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers(response.headers),
        "content": content,
        "redirectURL": location.decode("latin-1"),
        "headersSize": -1,
        "bodySize": -1 if response.coding else len(data),
    }


def _no_response(interaction: Interaction) -> dict[str, Any]:
    return {
        "status": 0,
        "statusText": "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [],
        "content": {"size": 0, "mimeType": "x-unknown"},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": -1,
        "_error": f"no response ({interaction.end.name.lower()})",
    }


def _headers(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in lines_of(headers)]


def _type(headers: Headers) -> str:
    given = next((value for name, value in headers if name.lower() == b"content-type"), b"")
    return given.decode("latin-1") if media_type(headers) else "x-unknown"
