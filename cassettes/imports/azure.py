"""Recordings of the Azure SDKs' test proxy: `Entries` of a request and its answer, and `Variables`.

Source: RecordEntry.cs, RecordSession.cs and ContentTypeUtilities.cs of the test proxy. Which spelling a body has is
told by its Content-Type. Of text: an object stands as it is, other text as a string, or as a list of strings that are its
lines with their ends. Of anything else: base64. An empty body is an empty list, a missing one null. No times are kept.
What was sanitised (`Sanitized`) stays as it stands in the file.
"""

import base64
import binascii
from collections.abc import Mapping

from ..amounts import counted
from ..interaction import Headers, Request, Response
from ..text import clip
from .fields import Field
from .json_body import REWRITTEN, json_of
from .wire import Exchange, date_of, header, headers_of, method_of, processing_us, split_uri, status_of, undo_coding

NAME = "Azure test proxy"
KEY = "Entries"
LACKS = "no timings: Azure's test proxy keeps none; a call's time is its answer's Date header, in whole seconds"

_TEXT_STARTS = ("text/", "application/json", "application/x-www-form-urlencoded")
_TEXT_ENDS = ("json", "xml", "-urlencoded")


def left_out(fields: Mapping[str, Field]) -> list[str]:
    """What else stands in the file."""
    variables = fields.get("Variables")
    names = [] if variables is None or not variables.is_map else [name for name, _ in variables.pairs()]
    if not names:
        return []
    return [f"left out: {counted(len(names), 'variable')} of the recorded test ({clip(', '.join(names), 200)})"]


def read(item: Field) -> Exchange:
    origin, target = split_uri(item.need("RequestUri"))
    headers, data, losses = _message(item, "Request")
    headers, body, coding, lost = undo_coding(item, headers, data)
    request = Request(method_of(item.need("RequestMethod")), target, headers, body, coding)
    status, reason = status_of(item.need("StatusCode"), None)
    headers, data, more = _message(item, "Response")
    headers, body, coding, dropped = undo_coding(item, headers, data)
    response = Response(status, reason, headers, body, coding, head_us=processing_us(headers))
    told = dict.fromkeys(losses + lost + more + dropped)  # REWRITTEN once a call, whichever side it was
    return Exchange(origin, request, response, date_of(headers), recorded=False, losses=tuple(told))


def _message(item: Field, side: str) -> tuple[Headers, bytes, tuple[str, ...]]:
    headers = headers_of(item.get(f"{side}Headers"))
    field = item.get(f"{side}Body")
    if field is None:
        return headers, b"", ()
    if field.is_map:
        return headers, json_of(field), (REWRITTEN,)
    if field.is_list:
        lines = list(field.items())
        if all(isinstance(line.node.value, str) for line in lines):
            return headers, b"".join(line.data() for line in lines), ()
        return headers, json_of(field), (REWRITTEN,)
    if _is_text(headers):
        return headers, field.data(), ()
    try:
        return headers, base64.b64decode(field.data(), validate=True), ()
    except (binascii.Error, ValueError):
        return headers, field.data(), ("body taken as the text that it is: its type is binary, and it is not base64",)


def _is_text(headers: Headers) -> bool:
    kind = (header(headers, b"content-type") or b"").decode("latin-1").lower()
    return kind.startswith(_TEXT_STARTS) or kind.endswith(_TEXT_ENDS) or "; charset=utf-8" in kind
