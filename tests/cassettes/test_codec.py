import resource
import struct

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from respool.cassettes.codec import (
    MAX_CONTAINERS,
    MAX_DEPTH,
    MAX_ITEMS,
    MAX_VALUES,
    check_plain,
    decode_map,
    encode_map,
)
from respool.cassettes.errors import CassetteError
from respool.cassettes.format import MAX_MAP
from respool.cassettes.interaction import EMPTY, BlobRef, Body, End, Interaction, Request, Response
from respool.cassettes.records import (
    MAX_MARKS,
    decode_interaction,
    decode_meta,
    encode_interaction,
    encode_meta,
    stored_body,
)
from respool.cassettes.summary import Summary

SUMMARY = Summary(1, 2, 3, 4, 5, 6, 200, 0, 0, 7)
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def load(ref: BlobRef) -> bytes:
    return bytes(ref.length)


def decode(fields: dict) -> Interaction:
    return decode_interaction(msgpack.packb({"method": "GET", "target": b"/"} | fields), SUMMARY, load)


@settings(max_examples=40)
@given(st.dictionaries(st.text(), PLAIN, max_size=5))
def test_plain_data_comes_back_as_it_went(fields):
    assert decode_meta(encode_meta(fields)) == fields


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x93\x01\x02\x03",
        b"\xc0",
        msgpack.packb({"a": 1}) + b"\x00",
        b"\x82\xa1a\x01\xa1a\x02",
        b"\x81\xa1a\x81",
        b"\x81\xa1a\xdd\xff\xff\xff\xff",
        b"\x81\xa1a\xc6\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\x81\x01\x02",
        b"\x81\x90\x02",
        b"\x81\xa1a\xa1\xff",
        msgpack.packb({"a": msgpack.ExtType(5, b"x")}),
        msgpack.packb({"a": msgpack.Timestamp(1, 2)}),
        b"\x81\xa1a" + b"\x91" * 2000 + b"\xc0",
        b"\x81\xa1a\xc1",
    ],
    ids=lambda data: data[:12].hex() or "empty",
)
def test_what_is_no_plain_map_is_refused(data):
    with pytest.raises(CassetteError):
        decode_meta(data)


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), {1: 2}, {b"a": 2}, {"a": 1j}, {1, 2}, 2**64, "\ud800", 1j],
    ids=repr,
)
def test_what_a_reader_would_refuse_is_not_written(value):
    with pytest.raises(CassetteError):
        encode_meta({"a": value})


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), {b"a": 1}])
def test_values_of_unknown_fields_are_checked(value):
    with pytest.raises(CassetteError):
        decode({"unknown": [value]})


def test_nesting_has_a_limit():
    def nested(levels: int) -> dict:
        fields: dict = {}
        for _ in range(levels - 1):
            fields = {"a": fields}
        return fields

    assert decode_meta(encode_meta(nested(MAX_DEPTH))) == nested(MAX_DEPTH)
    with pytest.raises(CassetteError, match="nested"):
        encode_meta(nested(MAX_DEPTH + 1))
    with pytest.raises(CassetteError, match="nested"):
        decode_meta(msgpack.packb(nested(MAX_DEPTH + 1)))


def test_sizes_have_limits():
    with pytest.raises(CassetteError):
        encode_map({"a": bytes(MAX_MAP)})
    with pytest.raises(CassetteError):
        decode_map(msgpack.packb({"a": bytes(MAX_MAP)}))
    with pytest.raises(CassetteError):
        decode_map(msgpack.packb({"a": [0] * (MAX_ITEMS + 1)}))
    with pytest.raises(CassetteError):
        check_plain([0] * (MAX_ITEMS + 1))
    with pytest.raises(CassetteError):
        encode_map({str(number): 0 for number in range(5000)})


@pytest.mark.parametrize(
    ("fields", "allowed"),
    [
        ({"a": [0] * (MAX_VALUES // 2), "b": [2**40] * (MAX_VALUES // 2 - 10)}, True),
        ({"a": [0] * (MAX_VALUES // 2), "b": [2**40] * (MAX_VALUES // 2)}, False),
        ({"a": [[]] * (MAX_CONTAINERS - 2), "b": b"\xdd" * 100_000}, True),
        ({"a": [[]] * MAX_CONTAINERS, "b": b"\xdd" * 100_000}, False),
        ({"a": [{}] * MAX_CONTAINERS, "b": b"\xdd" * 100_000}, False),
        ({"a": [["\u00e9" * 40, b"x" * 300, -1.5, None, "y" * 70_000, 2**63, -(2**40)]] * 3}, True),
    ],
)
def test_the_values_of_a_record_are_counted_before_they_are_built(fields, allowed):
    data = msgpack.packb(fields)
    if allowed:
        assert encode_map(fields) == data
        assert decode_map(data) == fields
        return
    with pytest.raises(CassetteError, match="too many"):
        encode_map(fields)
    with pytest.raises(CassetteError, match="too many"):
        decode_map(data)


def test_hostile_counts_take_no_memory_and_no_time():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for depth in (100, 1000, 2000):
        with pytest.raises(CassetteError):
            decode_map(b"\x81\xa1a" + (b"\xdd" + struct.pack(">I", MAX_ITEMS)) * depth)
    with pytest.raises(CassetteError):
        decode_interaction(b"\x81\xa1a" + b"\xdd\x00\x04\x00\x00" + b"\x90" * (MAX_ITEMS - 1), SUMMARY, load)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000  # KiB


HEADERS = st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=40)), max_size=5).map(tuple)
PARTS = st.lists(
    st.binary(max_size=30) | st.builds(BlobRef, st.binary(min_size=16, max_size=16), st.integers(0, 99)), max_size=4
)
NUMBERS = st.integers(0, 2**63 - 1)


@st.composite
def interactions(draw: st.DrawFn) -> Interaction:
    response = draw(
        st.none()
        | st.builds(
            Response,
            st.integers(0, 65_535),
            st.binary(max_size=9),
            HEADERS,
            st.just(EMPTY),
            st.text(max_size=9),
            NUMBERS,
            st.lists(st.tuples(NUMBERS, NUMBERS), max_size=4).map(tuple),
        )
    )
    request = Request(
        draw(st.text(max_size=9)), draw(st.binary(max_size=50)), draw(HEADERS), EMPTY, draw(st.text(max_size=9))
    )
    extra = draw(st.dictionaries(st.text(max_size=5).map(lambda key: "x-" + key), PLAIN, max_size=2))
    end, scope, session = draw(st.sampled_from(End)), draw(st.text(max_size=20)), draw(st.text(max_size=20))
    return Interaction(4, 5, request, response, end, 6, scope, session, 7, extra)


@settings(max_examples=40)
@given(interactions(), PARTS, PARTS)
def test_an_interaction_comes_back_as_it_went(interaction, parts, response_parts):
    data = encode_interaction(interaction, stored_body(parts), stored_body(response_parts))
    back = decode_interaction(data, SUMMARY, load)
    wanted = b"".join(Body(tuple(parts), load).pieces())
    assert back.request.body.read() == wanted
    if interaction.response is not None:
        assert back.response is not None
        assert back.response.body.read() == b"".join(Body(tuple(response_parts), load).pieces())
        assert back.response.marks == interaction.response.marks
        assert back.response.headers == interaction.response.headers
        assert (back.response.reason, back.response.coding) == (
            interaction.response.reason,
            interaction.response.coding,
        )
    else:
        assert back.response is None
    assert (back.request.method, back.request.target) == (interaction.request.method, interaction.request.target)
    assert (back.request.headers, back.request.coding) == (interaction.request.headers, interaction.request.coding)
    assert (back.end, back.scope, back.session, back.extra) == (
        interaction.end,
        interaction.scope,
        interaction.session,
        interaction.extra,
    )
    assert (back.arrival, back.started_us, back.duration_us, back.variant) == (4, 5, 6, 7)


@pytest.mark.parametrize(
    "fields",
    [
        {"method": 1},
        {"method": b"GET"},
        {"method": "G" * 70_000},
        {"target": "/"},
        {"target": None},
        {"headers": 0},
        {"headers": {}},
        {"headers": [b"ab"]},
        {"headers": [[b"a"]]},
        {"headers": [[b"a", "b"]]},
        {"headers": [[b"a", b"b", b"c"]]},
        {"body": "text"},
        {"body": {}},
        {"body": [[b"short", 1]]},
        {"body": [[b"d" * 16, -1]]},
        {"body": [[b"d" * 16, 1 << 40]]},
        {"body": [[b"d" * 16, True]]},
        {"body": [7]},
        {"status": "200"},
        {"status": -1},
        {"status": 65_536},
        {"status": True},
        {"status": None},
        {"status": 200, "marks": [1]},
        {"status": 200, "marks": [1, -2]},
        {"status": 200, "marks": [1, 2.0]},
        {"status": 200, "marks": 5},
        {"status": 200, "head_us": 1 << 63},
        {"status": 200, "reason": "OK"},
        {"response_body": b"without a status"},
        {"marks": []},
        {"end": 99},
        {"end": -1},
        {"scope": 5},
        {"session": b"s"},
    ],
    ids=repr,
)
def test_a_field_of_the_wrong_type_or_size_is_refused(fields):
    with pytest.raises(CassetteError):
        decode(fields)


@given(st.binary(max_size=200))
def test_nothing_but_a_cassette_error_escapes(data):
    try:
        decode_interaction(data, SUMMARY, load)
    except CassetteError:
        pass


def test_an_array_body_and_unknown_fields_are_read():
    got = decode({"body": [b"ab", [b"d" * 16, 3]], "later": [1, {"x": None}]})
    assert got.request.body.read() == b"ab\0\0\0"
    assert got.extra == {"later": [1, {"x": None}]}


def test_extra_fields_do_not_shadow_known_ones():
    interaction = Interaction(4, 5, Request("GET", b"/"), None, extra={"status": 500, "target": b"/other", "mine": 1})
    back = decode_interaction(encode_interaction(interaction, b"", b""), SUMMARY, load)
    assert (back.request.target, back.response, back.extra) == (b"/", None, {"mine": 1})


def test_a_lone_surrogate_does_not_stop_a_recording():
    interaction = Interaction(4, 5, Request("GET", b"/"), None, scope="thread_\ud800é")
    assert decode_interaction(encode_interaction(interaction, b"", b""), SUMMARY, load).scope == "thread_?é"


def test_marks_of_a_very_long_stream_are_joined_and_keep_length_and_end():
    marks = tuple((number % 7, 10 * number) for number in range(3 * MAX_MARKS + 5))
    interaction = Interaction(4, 5, Request("GET", b"/"), Response(200, marks=marks))
    back = decode_interaction(encode_interaction(interaction, b"", b""), SUMMARY, load)
    assert back.response is not None
    assert len(back.response.marks) <= MAX_MARKS
    assert sum(length for length, _ in back.response.marks) == sum(length for length, _ in marks)
    assert back.response.marks[-1][1] == marks[-1][1]


@pytest.mark.parametrize("response", [Response(70_000), Response(200, head_us=-1), Response(200, marks=((1, -1),))])
def test_numbers_that_a_reader_would_refuse_are_not_written(response):
    with pytest.raises(CassetteError):
        encode_interaction(Interaction(4, 5, Request("GET", b"/"), response), b"", b"")
