from dataclasses import FrozenInstanceError, fields, replace

import msgpack
import pytest
from respool.cassettes.errors import CassetteError
from respool.cassettes.interaction import BlobRef, Body, End, Interaction, Request, Response
from respool.cassettes.records import decode_interaction
from respool.cassettes.summary import PARTIAL, Summary

SUMMARY = Summary(1, 2, 3, 4, 5, 6, 200, 0, PARTIAL, 7)
DIGEST = b"d" * 16
TEXT = "text of at most 65,536 characters"
LINES = "an array of [name, value], both bytes"
PIECES = "bytes, or an array of bytes and [digest, length]"
MARKS = "an array of lengths and times in turn"
LARGE = "a number from 0 to 9,223,372,036,854,775,807"
WANTED = {
    "method": TEXT,
    "target": "bytes",
    "headers": LINES,
    "body": PIECES,
    "coding": TEXT,
    "status": "a number from 0 to 65,535",
    "reason": "bytes",
    "response_headers": LINES,
    "response_body": PIECES,
    "response_coding": TEXT,
    "head_us": LARGE,
    "marks": MARKS,
    "end": LARGE,
    "scope": TEXT,
    "session": TEXT,
}
VALUES = {
    "missing": None,
    "of type bool": True,
    "of type int": -1,
    "of type float": 1.0,
    "of type str": "text",
    "of type bytes": b"bytes",
    "of type tuple": [],
    "of type dict": {},
}
RIGHT = {TEXT: "of type str", "bytes": "of type bytes", LINES: "of type tuple", MARKS: "of type tuple"}
LINES_OF_NO_HEADERS = [
    ["ab"],
    [b"ab"],
    [[]],
    [[b"a"]],
    [[b"a", b"b", b"c"]],
    [[b"a", "b"]],
    [["a", b"b"]],
    [{b"a": b"b", b"c": b"d"}],
    [[b"a", b"b"], None],
    [[[b"a", b"b"]]],
]
NO_MARKS = [[1], [1, 2, 3], [1, -2], [1, 2.0], [True, 2], [1, None], [1, 1 << 63], [[1, 2]], "ab"]


def load(ref: BlobRef) -> bytes:
    return bytes(ref.length)


def decode(**others: object) -> Interaction:
    told = {"method": "GET", "target": b"/", "status": 200} | others
    return decode_interaction(msgpack.packb(told), SUMMARY, load)


def refusal(**others: object) -> str:
    with pytest.raises(CassetteError) as caught:
        decode(**others)
    return caught.value.message


@pytest.mark.parametrize("field", WANTED)
def test_each_field_takes_its_own_type_and_refuses_every_other_by_name(field):
    for said, value in VALUES.items():
        wanted = WANTED[field]
        if said == RIGHT.get(wanted) or (wanted == PIECES and said in ("of type bytes", "of type tuple")):
            decode(**{field: value})
        else:
            assert refusal(**{field: value}) == f"the field `{field}` is {said} or out of range; it should be {wanted}"


@pytest.mark.parametrize(
    ("field", "most"), [("status", 65_535), ("head_us", (1 << 63) - 1), ("method", 65_536), ("session", 65_536)]
)
def test_a_field_is_as_large_as_it_may_be_and_no_larger(field, most):
    number = WANTED[field] != TEXT
    decode(**{field: most if number else "x" * most})
    too_large = most + 1 if number else "x" * (most + 1)
    assert refusal(**{field: too_large}).endswith(f"or out of range; it should be {WANTED[field]}")


@pytest.mark.parametrize("field", ["headers", "response_headers"])
@pytest.mark.parametrize("lines", LINES_OF_NO_HEADERS, ids=repr)
def test_a_header_line_is_two_bytes_and_nothing_else(field, lines):
    assert refusal(**{field: lines}) == f"the field `{field}` is of type tuple or out of range; it should be {LINES}"


@pytest.mark.parametrize("field", ["body", "response_body"])
@pytest.mark.parametrize(
    "piece", [None, 7, "text", [], [DIGEST], [DIGEST, 1, 2], [b"short", 1], ["d" * 16, 1], {}], ids=repr
)
def test_a_piece_of_a_body_is_bytes_or_a_digest_and_a_length(field, piece):
    said = "missing" if piece is None else f"of type {type(piece if type(piece) is not list else ()).__name__}"
    assert refusal(**{field: [b"ab", piece]}) == f"the field `{field}` is {said} or out of range; it should be {PIECES}"


@pytest.mark.parametrize("length", [-1, True, None, 1.0, (16 << 20) + 1])
def test_a_piece_is_at_most_as_long_as_a_record(length):
    assert refusal(body=[[DIGEST, length]]).endswith("it should be a number from 0 to 16,777,216")


@pytest.mark.parametrize("marks", NO_MARKS, ids=repr)
def test_marks_are_pairs_of_numbers(marks):
    assert refusal(marks=marks).endswith(f"or out of range; it should be {MARKS}")


def test_what_is_decoded_equals_what_is_made_by_hand_and_can_be_changed_only_in_a_copy():
    answered = {
        "headers": [[b"Accept", b"*/*"]],
        "body": [b"ab", [DIGEST, 3]],
        "coding": "gzip",
        "status": 201,
        "reason": b"Created",
        "response_headers": [[b"A", b"1"], [b"A", b"2"]],
        "response_body": b"{}",
        "response_coding": "br",
        "head_us": 8,
        "marks": [1, 10, 1, 20],
        "end": 2,
        "scope": "thread_a",
        "session": "s",
        "later": 5,
    }
    call = decode(**answered)
    request = Request("GET", b"/", ((b"Accept", b"*/*"),), Body((b"ab", BlobRef(DIGEST, 3)), load), "gzip")
    response = Response(
        201, b"Created", ((b"A", b"1"), (b"A", b"2")), Body.of(b"{}"), "br", 8, marks=((1, 10), (1, 20))
    )
    same = Interaction(4, 5, request, response, End.UPSTREAM_CUT, 6, "thread_a", "s", 7, True, {"later": 5})
    assert call == same
    assert repr(call) == repr(same)
    assert call.end is End.UPSTREAM_CUT
    assert call.request_cut is True
    assert hash(call.request) == hash(same.request)
    assert hash(call.response) == hash(same.response)
    assert call.request.body.parts == request.body.parts
    assert {call.request.body.parts[1]: 1} == {BlobRef(DIGEST, 3): 1}
    assert replace(call, scope="thread_b", request=replace(call.request, target=b"/b")).request.target == b"/b"
    for made in (call, call.request, call.response, call.request.body.parts[1]):
        for field in fields(made):
            with pytest.raises(FrozenInstanceError):
                setattr(made, field.name, getattr(made, field.name))
            with pytest.raises(FrozenInstanceError):
                delattr(made, field.name)
        with pytest.raises((AttributeError, TypeError)):
            made.another = 1


def test_what_a_record_does_not_say_is_as_a_new_value_has_it():
    bare = decode_interaction(msgpack.packb({"method": "GET", "target": b"/"}), SUMMARY, load)
    assert bare == Interaction(4, 5, Request("GET", b"/"), None, duration_us=6, variant=7, request_cut=True)
    assert decode().response == Response(200)
