"""HAR 1.2, as browsers and proxies write it: `log.entries` of `request`, `response` and times.

Source: http://www.softwareishard.com/blog/har-12-spec/. Bodies stand in it decoded, text or base64. Fields that are missing
are taken as empty, since most writers leave some out. Where respool wrote it, the `_respool` fields give the rest, and
nothing is lost. Lists of cookies are not read: header lines say the same.
"""

from typing import Any
from urllib.parse import urlencode

from ..interaction import Body, End, Headers, Request, Response
from .fields import Field
from .stored import coding_of, data_of, marks_of, number, stored, target_of
from .wire import MOST_MICROSECONDS, Exchange, header_lines, method_of, split_uri, status_of, time_of, undo_coding

NAME = "HAR"
KEY = "log.entries"

_READ = ("startedDateTime", "time", "request", "response", "timings", "_respool", "_error")
_WEB = ("http://", "https://")


def entries_of(top: dict[str, object]) -> list[dict[str, Any]] | None:
    """The entries of calls over HTTP, with those of their fields that are read; None where this is no HAR.

    Browsers add fields of their own, stacks of calls for one, which may be nested to any depth.
    """
    log = top.get("log")
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        return None
    return [kept(entry) for entry in entries]


def kept(entry: object) -> dict[str, Any]:
    """Those fields of an entry that are read."""
    return {name: entry[name] for name in _READ if name in entry} if isinstance(entry, dict) else {}


def is_web(entry: dict[str, Any]) -> bool:
    """Whether an entry is a call over HTTP; extensions, `data:` URLs and web sockets are in browsers' HAR too."""
    request = entry.get("request")
    url = request.get("url") if isinstance(request, dict) else None
    return not isinstance(url, str) or url[:8].lower().startswith(_WEB)


def read(item: Field) -> Exchange:
    asked, answered = item.need("request"), item.need("response")
    about = item.get("_respool")
    origin, target = split_uri(asked.need("url"))
    headers = _headers(asked)
    data, losses = _posted(asked)
    if about is not None:
        return _whole(about, asked, answered, origin, headers, data)
    headers, body, coding, lost = undo_coding(asked, headers, data)
    request = Request(method_of(asked.need("method")), target, headers, body, coding)
    wait_us, whole_us = _times(item)
    response, more = _response(answered, wait_us)
    stamp = item.get("startedDateTime")
    when = None if stamp is None else time_of(stamp.text())
    return Exchange(
        origin,
        request,
        response,
        when,
        recorded=when is not None,
        losses=losses + lost + more,
        end=End.COMPLETE if response is not None else End.CLIENT_CUT,
        duration_us=whole_us,
    )


def _whole(about: Field, asked: Field, answered: Field, origin: str, headers: Headers, data: bytes) -> Exchange:
    """An entry that respool wrote."""
    told = about.need("request")
    target, coded = target_of(told.need("target")), told.get("base64")
    body = Body.of(data if coded is None else data_of(coded))
    request = Request(method_of(asked.need("method"), exact=True), target, headers, body, coding_of(told))
    response, told = None, about.get("response")
    if told is not None:
        status, reason = status_of(answered.need("status"), answered.get("statusText"))
        content, _ = _content(answered)
        response = Response(
            status,
            reason,
            _headers(answered),
            Body.of(content),
            coding_of(told),
            number(told, "head_us"),
            marks_of(told),
        )
    return stored(about, origin, request, response)


def _response(answered: Field, wait_us: int) -> tuple[Response | None, tuple[str, ...]]:
    code = answered.get("status")
    if code is None or code.text().strip() in {"", "0", "-1"}:
        return None, ("no response came",)
    status, reason = status_of(code, answered.get("statusText"))
    headers = _headers(answered)
    data, missing = _content(answered)
    headers, body, coding, losses = undo_coding(answered, headers, data)
    return Response(status, reason, headers, body, coding, head_us=wait_us), missing + losses


def _headers(field: Field) -> Headers:
    kept = field.get("headers")
    lines: list[tuple[str, Field]] = []
    for line in kept.items() if kept is not None else ():
        name = line.need("name").text()
        if line.has("value") and not name.startswith(":"):  # HTTP/2's own, such as `:authority`, are no header lines
            lines.append((name, line.below("value")))
    return header_lines(lines)


def _posted(asked: Field) -> tuple[bytes, tuple[str, ...]]:
    """The request's body, and what of it is lost."""
    posted = asked.get("postData")
    if posted is None:
        return b"", ()
    text, encoding = posted.get("text"), posted.get("encoding")
    if text is not None and encoding is not None and encoding.text() == "base64":
        return data_of(text), ()
    params = posted.get("params")
    pairs = [] if params is None or (text is not None and text.node.value) else list(params.items())
    if not pairs:
        return b"" if text is None else text.data(), ()
    kind = posted.get("mimeType")
    if kind is not None and kind.text().startswith("multipart/"):
        return b"", ("body of a request lost: HAR keeps a form's parts without their bytes",)
    named = [(pair.need("name").text(), pair.get("value")) for pair in pairs]
    form = urlencode([(name, "" if value is None else value.text()) for name, value in named])
    return form.encode(), ("body of a request written anew from its form's fields",)


def _content(answered: Field) -> tuple[bytes, tuple[str, ...]]:
    content = answered.get("content")
    text = None if content is None else content.get("text")
    if content is None or text is None:
        size = None if content is None else content.get("size")
        lost = size is not None and size.text().strip() not in {"0", "-1"}
        return b"", ("body of an answer lost: the HAR was saved without it",) if lost else ()
    encoding = content.get("encoding")
    return (data_of(text) if encoding is not None and encoding.text() == "base64" else text.data()), ()


def _times(item: Field) -> tuple[int, int]:
    """Microseconds until the response's head, and until its end."""
    whole_us = _micros(item, "time")
    timings = item.get("timings")
    receive_us = 0 if timings is None else _micros(timings, "receive")
    return max(whole_us - receive_us, 0), whole_us


def _micros(field: Field, name: str) -> int:
    kept = field.get(name)
    try:
        value = 0.0 if kept is None else float(kept.text()[:40])
    except ValueError:
        return 0
    return int(min(value * 1000, MOST_MICROSECONDS)) if value > 0 else 0
