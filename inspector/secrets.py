"""Where credentials were taken out of the calls of a scope, by which rule, and what looks like one still.

A cassette keeps no list of what was taken out: what tells is the word or the pseudonym that stands in its place. So a value that
the upstream itself sent as such is listed, too; nothing that was taken out can be shown, since it is not there. What is left is
looked at by today's rules, and named by place and rule alone.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from ..cassettes import models
from ..cassettes.amounts import counted
from ..cassettes.errors import CassetteError
from ..cassettes.interaction import Body, Headers, Interaction
from ..cassettes.operations import split_target
from ..cassettes.secrets.audit import TOO_LARGE, Suspect, suspects_of
from ..cassettes.secrets.cleaning import Cleaning
from ..cassettes.secrets.finder import has_put_in, put_in
from ..cassettes.secrets.policy import PLAIN, Policy, policy_of_today
from ..cassettes.slots import is_field_slot, is_header_slot, is_query_slot
from ..cassettes.text import clip
from .document import Document, Line
from .raw import MAX_BODY

MOST_CALLS = 2_000
"""Calls of a scope that are looked through."""
MOST_FOUND = 5_000
MOST_LOOKED = 16 << 20
"""Bytes of bodies that are looked at for what is left: a second or a few."""
_DEPTH = 32


class Found(NamedTuple):
    """`where`: `request header authorization`. `why`: the class of the rule, as a pseudonym tells it; of a bare word `slot`
    where the name says that it is one, else `value`."""

    arrival: int
    where: str
    why: str


def found_in(interaction: Interaction) -> Iterator[Found]:
    """The places in one call."""
    arrival, request = interaction.arrival, interaction.request
    _, path, query = split_target(request.target)
    if has_put_in(path):
        yield Found(arrival, "request path", _why(path, slot=False))
    for pair in query.removeprefix(b"?").split(b"&"):
        name, _, value = pair.partition(b"=")
        if has_put_in(value):
            slot = is_query_slot(unquote_to_bytes(name))
            yield Found(arrival, f"request query {clip(name, 100)}", _why(value, slot=slot))
    yield from _headers(arrival, "request", request.headers)
    yield from _body(arrival, "request", request.body)
    if interaction.response is not None:
        yield from _headers(arrival, "answer", interaction.response.headers)
        yield from _body(arrival, "answer", interaction.response.body)


def _headers(arrival: int, side: str, headers: Headers) -> Iterator[Found]:
    for name, value in headers:
        if has_put_in(value):
            slot = is_header_slot(name.lower())
            yield Found(arrival, f"{side} header {clip(name.lower(), 100)}", _why(value, slot=slot))


def _body(arrival: int, side: str, body: Body) -> Iterator[Found]:
    if not 0 < body.length <= models.MAX_BODY:
        return
    data = body.read()
    if not has_put_in(data):
        return
    value = models.parse(data)
    if not isinstance(value, (dict, list)):
        yield Found(arrival, f"{side} body", f"{_why(data, slot=False)}, {len(put_in(data)):,} times")
        return
    yield from (
        Found(arrival, f"{side} body {clip(pointer, 200)}", why)
        for pointer, why in _pointers(value, "$", slot=False, depth=_DEPTH)
    )


def _why(data: bytes, *, slot: bool) -> str:
    classes = dict.fromkeys(word.split(b"_")[1].decode("ascii") for word in put_in(data) if word.startswith(b"rsp_"))
    return ", ".join(classes) or ("slot" if slot else "value")


def _pointers(value: Any, at: str, *, slot: bool, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        if has_put_in(data := value.encode("utf-8", "replace")):
            yield at, _why(data, slot=slot)
    elif depth == 0:
        if has_put_in(data := json.dumps(value).encode()):
            yield at + "…", _why(data, slot=slot)
    elif isinstance(value, dict):
        for name, child in value.items():
            yield from _pointers(child, f"{at}.{clip(name, 60)}", slot=is_field_slot(name), depth=depth - 1)
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from _pointers(child, f"{at}[{number}]", slot=slot, depth=depth - 1)


def secrets(interactions: Iterable[Interaction], left_out: int = 0, policy: Policy = PLAIN) -> Document:
    """What was taken out, first counted by place, then call by call; before it, what `policy` would take out and is there."""
    found: list[Found] = []
    left: list[Left] = []
    calls = looked = passed = 0
    cleaning = Cleaning(policy)
    for interaction in interactions:
        calls += 1
        found += [] if len(found) >= MOST_FOUND else found_in(interaction)
        if len(left) >= MOST_FOUND or looked > MOST_LOOKED:
            passed += 1
            continue
        looked += sum(body.length for body in _bodies(interaction))
        left += left_in(interaction, policy, cleaning)
    return Document((*_left(left, passed), *_found(found, calls), *_rest(left_out)))


def policy_of(meta: Mapping[str, object]) -> Policy:
    """By which rules what is left is looked at: the recording's own, with today's table."""
    try:
        return policy_of_today(meta)
    except CassetteError:
        return PLAIN  # of a newer version


class Left(NamedTuple):
    """What looks like a secret and stands in a call."""

    arrival: int
    suspect: Suspect


def left_in(interaction: Interaction, policy: Policy, cleaning: Cleaning) -> Iterator[Left]:
    """What the rules would take out of a call. A body of more than `raw.MAX_BODY` bytes is named, not looked into."""
    if any(body.length > MAX_BODY for body in _bodies(interaction)):
        yield Left(interaction.arrival, Suspect("a body", TOO_LARGE))
        return
    for suspect in suspects_of(interaction, policy, cleaning):
        yield Left(interaction.arrival, suspect)


def _bodies(interaction: Interaction) -> list[Body]:
    response = interaction.response
    return [interaction.request.body] if response is None else [interaction.request.body, response.body]


def _left(left: list[Left], passed: int) -> Iterator[Line]:
    if passed:
        yield Line(0, ((f"… {counted(passed, 'call')} not looked at for secrets that are left", "wait"),))
    if not left:
        return
    places = "place looks" if len(left) == 1 else "places look"
    yield Line(0, ((f"! {len(left):,} {places} like a secret still", "bad"),))
    yield Line(0, (("`respool redact` writes a cassette without them", "dim"),))
    for arrival, (place, rule) in left[:MOST_FOUND]:
        yield Line(
            0, ((f"{arrival:>7,}   ", "dim"), (clip(place, 200), ""), (f"  by {clip(rule, 60)}", "bad")), hang=10
        )
    yield Line()


def _found(found: list[Found], calls: int) -> Iterator[Line]:
    if not found:
        what = f"these {calls:,} calls" if calls != 1 else "this call"
        yield Line(0, ((f"Nothing was taken out of {what}.", "dim"),))
        return
    yield Line(0, ((f"{len(found):,} values were taken out of {calls:,} call{'' if calls == 1 else 's'}", "strong"),))
    yield Line(0, (("before they were written; they are nowhere in this file", "dim"),))
    yield Line()
    places = Counter((each.where.split("[")[0], each.why) for each in found)
    for (where, why), count in places.most_common(200):
        yield Line(0, ((f"{count:>7,} × ", "name"), (where, ""), (f"  by {why}", "dim")), hang=10)
    yield Line()
    yield Line(0, (("call by call", "strong"),))
    for each in found[:MOST_FOUND]:
        yield Line(0, ((f"{each.arrival:>7,}   ", "dim"), (each.where, ""), (f"  by {each.why}", "dim")), hang=10)


def _rest(left_out: int) -> list[Line]:
    return [Line(0, ((f"… {left_out:,} more calls were not looked through", "wait"),))] if left_out else []
