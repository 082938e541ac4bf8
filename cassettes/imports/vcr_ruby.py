"""Ruby VCR's cassettes: `http_interactions` of `request`, `response` and `recorded_at`, and `recorded_with`.

Source: VCR's structs.rb, versions 2 to 6; Betamax writes the same form. The request's method is a lower-case symbol; a
body names its `encoding` and is a `string`, or a `base64_string` where exact bytes were asked for. Header names are
title-cased by the recorder. `recorded_at` is the time in seconds at which the answer was stored.
"""

import base64
import binascii

from ..interaction import Request, Response
from .fields import Field
from .wire import Exchange, date_of, headers_of, method_of, processing_us, split_uri, status_of, time_of, undo_coding

NAME = "Ruby VCR"
KEY = "http_interactions"

_LATIN = {"iso-8859-1": "latin-1", "windows-1252": "cp1252"}
"""Ruby writes a text out in UTF-8, whatever its encoding was; these two are turned back. All others are UTF-8's own."""


def read(item: Field) -> Exchange:
    asked, answered = item.need("request"), item.need("response")
    if asked.has("path") and not asked.has("uri"):
        asked.fail("`path` where VCR has `uri`: this looks like Proxay", "Proxay tapes cannot be imported yet.")
    origin, target = split_uri(asked.need("uri"))
    headers = headers_of(asked.get("headers"))
    headers, body, coding, request_losses = undo_coding(asked, headers, _body(asked.get("body")))
    request = Request(method_of(asked.need("method")), target, headers, body, coding)
    line = answered.need("status")
    status, reason = status_of(line.need("code"), line.get("message"))
    headers = headers_of(answered.get("headers"))
    headers, body, coding, response_losses = undo_coding(answered, headers, _body(answered.get("body")))
    response = Response(status, reason, headers, body, coding, head_us=processing_us(headers))
    stamp = item.get("recorded_at")
    when = None if stamp is None else time_of(stamp.text())
    return Exchange(
        origin,
        request,
        response,
        date_of(headers) if when is None else when,
        recorded=when is not None,
        losses=request_losses + response_losses,
    )


def _body(field: Field | None) -> bytes:
    if field is None:
        return b""
    if not field.is_map:  # VCR 1
        return field.data()
    packed = field.get("base64_string")
    if packed is not None:
        try:
            return base64.b64decode(b"".join(packed.data().split()), validate=True)
        except (binascii.Error, ValueError):
            packed.fail("this is not base64")
    text = field.get("string")
    if text is None:
        return b""
    data = text.data()
    encoding = field.get("encoding")
    codec = None if encoding is None else _LATIN.get(encoding.text().lower())
    if codec is None or data.isascii() or not isinstance(text.node.value, str):
        return data
    try:
        return text.node.value.encode(codec)
    except UnicodeEncodeError:
        return data
