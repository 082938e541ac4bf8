"""VCR.py's cassettes, format version 1: `interactions` of `request` and `response`, and `version`.

Source: vcr/serialize.py, vcr/request.py and the httpx stub of VCR.py 1 to 9. It keeps no times at all, and of a
repeated request header only the first. A body is text where it is UTF-8 and `!!binary` where it is not; file-like and
iterated bodies are stored as the objects that they were, and read here as their bytes.
"""

from ..interaction import Request, Response
from .fields import Field
from .wire import Exchange, date_of, headers_of, method_of, processing_us, split_uri, status_of, undo_coding

NAME = "VCR.py"
KEY = "interactions"
VERSION = "1"
LACKS = "no timings: VCR.py keeps none; a call's time is its answer's Date header, in whole seconds"
BYTES_IO = "python/object/new:_io.BytesIO"
ITERATOR = "python/object/apply:builtins.iter"


def check(version: Field) -> None:
    """Refuse a `version` that is not VCR.py's. Its own reader does not ask for one; no other was ever made."""
    if version.node.value is not None and version.text() != VERSION:
        version.fail("VCR.py writes version 1 only; go-vcr writes others", "go-vcr cassettes cannot be imported yet.")


def read(item: Field) -> Exchange:
    asked, answered = item.need("request"), item.need("response")
    if asked.has("url") and not asked.has("uri"):
        asked.fail("`url` where VCR.py has `uri`: this looks like go-vcr", "go-vcr cassettes cannot be imported yet.")
    for part in (asked, answered):
        if part.has("parsed_body"):
            part.fail(
                "`parsed_body` is a custom serializer's, and does not keep the bytes",
                "Save the cassette with VCR.py's own yaml serializer first.",
            )
    origin, target = split_uri(asked.need("uri"))
    headers = headers_of(asked.get("headers"))
    headers, body, coding, request_losses = undo_coding(asked, headers, body_of(asked.get("body")))
    request = Request(method_of(asked.need("method")), target, headers, body, coding)
    response, response_losses = _response(answered)
    return Exchange(
        origin, request, response, date_of(response.headers), recorded=False, losses=request_losses + response_losses
    )


def _response(answered: Field) -> tuple[Response, tuple[str, ...]]:
    if answered.has("status_code"):  # the httpx stub of VCR.py before 6.0
        status, reason = status_of(answered.need("status_code"), None)
        kept = answered.get("content")
    else:
        line = answered.need("status")
        status, reason = status_of(line.need("code"), line.get("message"))
        kept = answered.get("body")
    headers = headers_of(answered.get("headers"))
    headers, body, coding, losses = undo_coding(answered, headers, body_of(kept))
    return Response(status, reason, headers, body, coding, head_us=processing_us(headers)), losses


def body_of(field: Field | None) -> bytes:
    """The bytes of a body: text, bytes, a map with `string`, a list of pieces, or a Python object holding them."""
    if field is None:
        return b""
    if field.node.tag == BYTES_IO:  # its state is (bytes, position, attributes)
        state = next(field.need("state").items(), None)
        return b"" if state is None else state.data()
    if field.node.tag == ITERATOR:
        return b"".join(_pieces(part) for part in field.need("args").items())
    if field.is_map:
        if not field.has("string"):
            field.fail("a body is text, bytes or a map with `string`")
        inner = field.get("string")
        return b"" if inner is None else _pieces(inner)
    return _pieces(field)


def _pieces(field: Field) -> bytes:
    return b"".join(piece.data() for piece in field.items()) if field.is_list else field.data()
