"""Frames that are right in form around payloads that are not: nothing but a cassette error comes of them, in bounded memory."""

import struct

import msgpack
from campaign import sized
from forgery import claim
from hypothesis import example, given, settings
from hypothesis import strategies as st
from programs import STEP, How, build, read_everything
from respool.cassettes.index import HEAD, build_index
from respool.cassettes.scopes import scope_hash
from respool.cassettes.summary import Summary

FIELDS = [
    "method", "target", "headers", "body", "coding", "status", "reason", "response_headers", "response_body",
    "response_coding", "head_us", "marks", "end", "scope", "session", "later",
]  # fmt: skip
NUMBERS = st.sampled_from([0, 1, 2, 64, 200, 2**16, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1]) | st.integers(
    0, 2**64 - 1
)
DIGESTS = st.sampled_from([bytes(16), b"\1" * 16]) | st.binary(min_size=16, max_size=16)
PARTS = st.lists(st.binary(max_size=20) | st.tuples(DIGESTS, NUMBERS | st.just(600)), max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.floats() | st.text(max_size=8) | st.binary(max_size=20) | PARTS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4) | st.integers(0, 9), inner, max_size=3)
    ),
    max_leaves=12,
)
GOOD = {"method": "GET", "target": b"/threads/a", "status": 200}


@st.composite
def maps(draw) -> bytes:
    """A map with some fields of the wrong type, or the bytes of one, changed."""
    fields = dict(GOOD) if draw(st.booleans()) else {}
    fields.update(draw(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=6)))
    data = bytearray(msgpack.packb(fields))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(data)))
        mark = st.sampled_from([claim(0xDD, 2**18), claim(0xDF, 4096), claim(0xC6, 2**31), b"\xc1", b"\xc7\x05\xff"])
        data[at : at + draw(st.integers(0, 4))] = draw(mark | st.binary(max_size=6))
    return bytes(data)


@st.composite
def summaries(draw) -> bytes:
    scope = draw(st.sampled_from([scope_hash("a"), scope_hash("thread_a"), 0]))
    return Summary(draw(st.integers(0, 3)), scope, 1, draw(NUMBERS), draw(NUMBERS), draw(NUMBERS), 200, 2, 0, 0).pack()


@st.composite
def indexes(draw) -> bytes:
    """An index of rows that lead somewhere, with some of its numbers made others."""
    count = draw(st.integers(0, 6))
    rows = b"".join(draw(summaries()) + struct.pack("<Q", draw(st.integers(0, 600) | NUMBERS)) for _ in range(count))
    blobs = b"".join(
        draw(DIGESTS) + struct.pack("<Q", draw(st.integers(0, 600))) for _ in range(draw(st.integers(0, 3)))
    )
    data = bytearray(build_index(rows, blobs, {scope_hash("a"): "a", 0: "é" * draw(st.integers(0, 9))}))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data) - 4))
        data[at : at + 4] = struct.pack("<I", draw(st.integers(0, 9) | st.sampled_from([2**31, 2**32 - 1])))
    if draw(st.booleans()):
        fields = list(HEAD.unpack_from(data))
        fields[draw(st.sampled_from([2, 3, 4, 5]))] = draw(st.integers(0, 2**32 - 1))
        data[: HEAD.size] = HEAD.pack(*fields)
    return bytes(data)


@st.composite
def packs(draw) -> bytes:
    """The program of a pack: a few records, of which some lie."""
    honest = st.sampled_from([0, 0, 0, How.RIGHT, How.CLAIMS, How.SKIPS])
    records = (
        st.tuples(st.just(1), honest, st.binary(max_size=40).map(lambda part: part * 20))
        | st.tuples(st.just(2), honest, st.builds(bytes.__add__, summaries(), maps()))
        | st.tuples(st.integers(0, 6), honest, st.binary(max_size=80))
    )
    return b"".join(
        STEP.pack(kind, how, len(payload)) + payload for kind, how, payload in draw(st.lists(records, max_size=5))
    )


HOWS = st.sampled_from([0, 0, 0, How.SQUEEZED, How.ZSTD, How.CLAIMS | How.SQUEEZED, How.SKIPS, How.RIGHT])
STEPS = (
    st.tuples(st.just(0), HOWS, maps())
    | st.tuples(st.just(1), HOWS.map(lambda how: int(how) | How.RIGHT), st.binary(max_size=40).map(lambda part: part * 20))
    | st.tuples(st.just(2), HOWS, st.builds(bytes.__add__, summaries(), maps()))
    | st.tuples(st.just(3), st.just(How.RIGHT), indexes())
    | st.tuples(st.just(4), st.sampled_from([How.RIGHT, 0]), st.binary(min_size=64, max_size=64))
    | st.tuples(st.integers(5, 6), HOWS, st.binary(max_size=30))
    | st.tuples(st.just(5), st.sampled_from([How.RIGHT, How.RIGHT, How.RIGHT | How.CLAIMS]), packs())
)  # fmt: skip
META = (0, 0, b"\x80")


@settings(max_examples=sized(50, 1_000))
@given(st.lists(STEPS, max_size=8), st.sampled_from([True, True, True, False]))
@example(
    [(2, 0, bytes(56) + msgpack.packb(GOOD)), (3, How.RIGHT, bytes(build_index(b"", b"", {}))), (4, How.RIGHT, b"")],
    True,
)
def test_whatever_the_records_say_only_a_cassette_error_comes_of_it(steps, begun):
    steps = [META, *steps] if begun else steps
    program = b"".join(STEP.pack(kind, int(how), len(payload)) + payload for kind, how, payload in steps)
    read_everything(build(program))
