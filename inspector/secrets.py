"""Where credentials were taken out of the calls of a scope: in which call, which part, and under which name they stood.

A cassette keeps no list of this: what tells is the word or the pseudonym that stands in their place. So a value that the upstream
itself sent as such is listed, too; nothing that was taken out can be shown, since it is not there.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from ..cassettes import models
from ..cassettes.interaction import Body, Headers, Interaction
from ..cassettes.operations import split_target
from ..cassettes.secrets.finder import has_put_in, put_in
from ..cassettes.slots import is_field_slot, is_header_slot, is_query_slot
from ..cassettes.text import clip
from .document import Document, Line

MOST_CALLS = 2_000
"""Calls of a scope that are looked through."""
MOST_FOUND = 5_000
_DEPTH = 32


class Found(NamedTuple):
    """`where`: `request header authorization`; `why`: `slot` where the name says that it is one, else `value`."""

    arrival: int
    where: str
    why: str


def found_in(interaction: Interaction) -> Iterator[Found]:
    """The places in one call."""
    arrival, request = interaction.arrival, interaction.request
    _, path, query = split_target(request.target)
    if has_put_in(path):
        yield Found(arrival, "request path", "value")
    for pair in query.removeprefix(b"?").split(b"&"):
        name, _, value = pair.partition(b"=")
        if has_put_in(value):
            slot = is_query_slot(unquote_to_bytes(name))
            yield Found(arrival, f"request query {clip(name, 100)}", "slot" if slot else "value")
    yield from _headers(arrival, "request", request.headers)
    yield from _body(arrival, "request", request.body)
    if interaction.response is not None:
        yield from _headers(arrival, "answer", interaction.response.headers)
        yield from _body(arrival, "answer", interaction.response.body)


def _headers(arrival: int, side: str, headers: Headers) -> Iterator[Found]:
    for name, value in headers:
        if has_put_in(value):
            slot = is_header_slot(name.lower())
            yield Found(arrival, f"{side} header {clip(name.lower(), 100)}", "slot" if slot else "value")


def _body(arrival: int, side: str, body: Body) -> Iterator[Found]:
    if not 0 < body.length <= models.MAX_BODY:
        return
    data = body.read()
    if not has_put_in(data):
        return
    value = models.parse(data)
    if not isinstance(value, (dict, list)):
        yield Found(arrival, f"{side} body", f"value, {len(put_in(data)):,} times")
        return
    yield from (
        Found(arrival, f"{side} body {clip(pointer, 200)}", "slot" if slot else "value")
        for pointer, slot in _pointers(value, "$", slot=False, depth=_DEPTH)
    )


def _pointers(value: Any, at: str, *, slot: bool, depth: int) -> Iterator[tuple[str, bool]]:
    if isinstance(value, str):
        if has_put_in(value.encode("utf-8", "replace")):
            yield at, slot
    elif depth == 0:
        if has_put_in(json.dumps(value).encode()):
            yield at + "…", slot
    elif isinstance(value, dict):
        for name, child in value.items():
            yield from _pointers(child, f"{at}.{clip(name, 60)}", slot=is_field_slot(name), depth=depth - 1)
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from _pointers(child, f"{at}[{number}]", slot=slot, depth=depth - 1)


def secrets(interactions: Iterable[Interaction], left_out: int = 0) -> Document:
    """What was taken out, first counted by place, then call by call."""
    found: list[Found] = []
    calls = 0
    for interaction in interactions:
        calls += 1
        found += [] if len(found) >= MOST_FOUND else found_in(interaction)
    if not found:
        lines = [
            Line(
                0,
                (
                    (
                        f"Nothing was taken out of these {calls:,} calls."
                        if calls != 1
                        else "Nothing was taken out of this call.",
                        "dim",
                    ),
                ),
            )
        ]
        return Document((*lines, *_rest(left_out)))
    places = Counter((each.where.split("[")[0], each.why) for each in found)
    lines = [
        Line(0, ((f"{len(found):,} values were taken out of {calls:,} call{'' if calls == 1 else 's'}", "strong"),))
    ]
    lines += [Line(0, (("before they were written; they are nowhere in this file", "dim"),)), Line()]
    for (where, why), count in places.most_common(200):
        lines.append(Line(0, ((f"{count:>7,} × ", "name"), (where, ""), (f"  by {why}", "dim")), hang=10))
    lines += [Line(), Line(0, (("call by call", "strong"),))]
    for each in found[:MOST_FOUND]:
        lines.append(
            Line(0, ((f"{each.arrival:>7,}   ", "dim"), (each.where, ""), (f"  by {each.why}", "dim")), hang=10)
        )
    return Document((*lines, *_rest(left_out)))


def _rest(left_out: int) -> list[Line]:
    return [Line(0, ((f"… {left_out:,} more calls were not looked through", "wait"),))] if left_out else []
