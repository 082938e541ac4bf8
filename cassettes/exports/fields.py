"""An interaction as plain values that JSON can hold, none of it lost: what JSON Lines and HAR's `_respool` are made of.

Bytes of lines (targets, header lines) are Latin-1 text, one character a byte. A body is `{"text": ...}` where it is UTF-8
and `{"base64": ...}` where it is not. Values that only a cassette's own form can hold (notes, fields of a newer
version) stand as base64 of that form.
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from ..codec import encode_map
from ..interaction import Headers, Interaction
from ..keys import request_key
from ..summary import Row

VERSION = 1
"""Of the form that `respool import` reads back."""


def text_of(data: bytes) -> str | None:
    """The text that a body is; None where it is not UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def body_of(data: bytes) -> dict[str, str]:
    text = text_of(data)
    return {"base64": base64(data)} if text is None else {"text": text}


def packed(values: Mapping[str, Any]) -> str:
    """Plain data as base64 of the form that it has in a cassette; empty for none."""
    return base64(encode_map(dict(values))) if values else ""


def lines_of(headers: Headers) -> list[list[str]]:
    return [[name.decode("latin-1"), value.decode("latin-1")] for name, value in headers]


def circumstances(interaction: Interaction, row: Row) -> dict[str, Any]:
    """All of an interaction but its request and its response.

    `key` is there only where the request as it came had another one than it has now, without its credentials.
    """
    told: dict[str, Any] = {
        "arrival": interaction.arrival,
        "started_us": interaction.started_us,
        "duration_us": interaction.duration_us,
        "end": interaction.end.name.lower(),
        "scope": interaction.scope,
        "session": interaction.session,
        "variant": interaction.variant,
        "request_cut": interaction.request_cut,
    }
    if request_key(interaction.request) != row.summary.key:
        told["key"] = f"{row.summary.key:016x}"
    if interaction.extra:
        told["extra"] = packed(interaction.extra)
    return told


def marks_of(marks: tuple[tuple[int, int], ...]) -> list[list[int]]:
    return [list(mark) for mark in marks]


def whole(interaction: Interaction, row: Row) -> dict[str, Any]:
    """All of an interaction."""
    request, response = interaction.request, interaction.response
    told = circumstances(interaction, row)
    told["request"] = {
        "method": request.method,
        "target": request.target.decode("latin-1"),
        "headers": lines_of(request.headers),
        "coding": request.coding,
        "body": body_of(request.body.read()),
    }
    told["response"] = None if response is None else {
        "status": response.status,
        "reason": response.reason.decode("latin-1"),
        "headers": lines_of(response.headers),
        "coding": response.coding,
        "head_us": response.head_us,
        "marks": marks_of(response.marks),
        "body": body_of(response.body.read()),
    }  # fmt: skip
    return told
