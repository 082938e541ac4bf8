"""A pack gives back each record that went in, by number and type, and believes nothing of its own head."""

import itertools
import random
import struct

import pytest
from respool.cassettes.errors import CassetteError
from respool.cassettes.format import Codec, RecordType
from respool.cassettes.packs import (
    HEAD,
    Dictionary,
    Pack,
    build_pack,
    calls_in,
    contents_of,
    listed_in,
    place_of,
    split_place,
)

RECORDS = [(2, b"d" * 16, b"a body piece, " * 40), (3, b"s" * 56, b"fields"), (3, b"t" * 56, b""), (2, b"e" * 16, b"x")]
SAMPLES = [b'{"id": "thread_%d", "object": "thread", "metadata": {}}' % number * 3 for number in range(200)]


@pytest.fixture(scope="module")
def dictionary():
    found = Dictionary.trained(SAMPLES, 1_000_000)
    assert found is not None
    return found


@pytest.mark.parametrize("leaning", [True, False])
def test_each_record_comes_back_by_its_number_and_its_type(dictionary, leaning):
    codec, payload, raw_len = build_pack(RECORDS, dictionary if leaning else None)
    assert codec == (Codec.ZSTD_DICTIONARY if leaning else Codec.ZSTD)
    pack = Pack(codec, payload, raw_len, dictionary)
    assert [pack.record(number, kind) for number, (kind, _, _) in enumerate(RECORDS)] == [
        (prefix, data) for _, prefix, data in RECORDS
    ]
    assert pack.record(0, 3) is None
    assert pack.record(4, 3) is None
    assert pack.record(-1, 2) is None
    assert calls_in(payload) == 2


def test_the_contents_are_told_without_the_bytes_and_without_the_dictionary(dictionary):
    codec, payload, _ = build_pack(RECORDS, dictionary)
    stored = HEAD.unpack_from(payload)[2]
    listing = contents_of(codec, payload[: HEAD.size + stored])
    lengths = [end - start for start, end in itertools.pairwise(listing.starts)]
    assert [
        (kind, listing.prefix(number), length)
        for number, (kind, length) in enumerate(zip(listing.kinds, lengths, strict=True))
    ] == [(kind, prefix, len(data)) for kind, prefix, data in RECORDS]


@pytest.mark.parametrize(("offset", "number"), [(64, 0), (2**40, 1023), (2**48 - 1, 16383)])
def test_a_place_is_an_offset_and_a_number(offset, number):
    assert split_place(place_of(offset, number)) == (offset, number)
    assert split_place(offset) == (offset, -1)


def test_a_pack_that_needs_a_dictionary_says_so(dictionary):
    codec, payload, raw_len = build_pack(RECORDS, dictionary)
    with pytest.raises(CassetteError, match="needs a dictionary"):
        Pack(codec, payload, raw_len, None)


@pytest.mark.parametrize("field", range(4))
@pytest.mark.parametrize("value", [0, 1, 5, 16_385, 2**31, 2**32 - 1])
def test_a_head_that_lies_is_refused(field, value):
    codec, payload, raw_len = build_pack(RECORDS, None)
    head = list(HEAD.unpack_from(payload))
    if head[field] == value:
        return
    head[field] = value
    with pytest.raises(CassetteError):
        Pack(codec, HEAD.pack(*head) + payload[HEAD.size :], raw_len, None)


@pytest.mark.parametrize("raw_len", [0, 1, 1 << 20])
def test_another_length_than_that_of_the_records_is_refused(raw_len):
    codec, payload, _ = build_pack(RECORDS, None)
    with pytest.raises(CassetteError):
        Pack(codec, payload, raw_len, None)


def test_unknown_records_in_the_contents_are_refused():
    for listed in (struct.pack("<BI", 9, 0), struct.pack("<BI", 3, 0), b"\x02", struct.pack("<BI", 1, 0)):
        with pytest.raises(CassetteError, match=r"no list of records|not what its head says"):
            contents_of(0, HEAD.pack(1, 0, len(listed), len(listed)) + listed)
        with pytest.raises(CassetteError, match=r"no list of records|not what its head says"):
            listed_in(0, HEAD.pack(1, 0, len(listed), len(listed)) + listed, 64)


def test_what_an_index_lists_of_a_pack_is_each_prefix_and_its_place(dictionary):
    for each in (None, dictionary):
        codec, payload, _ = build_pack(RECORDS, each)
        rows, blobs = listed_in(codec, payload, 4_096)
        for kind, width, listed in ((RecordType.INTERACTION, 56, rows), (RecordType.BLOB, 16, blobs)):
            wanted = [
                prefix + place_of(4_096, number).to_bytes(8, "little")
                for number, (one, prefix, _) in enumerate(RECORDS)
                if one == kind
            ]
            assert wanted
            assert [listed[at : at + width + 8] for at in range(0, len(listed), width + 8)] == wanted
    with pytest.raises(CassetteError, match="head says"):
        listed_in(codec, HEAD.pack(len(RECORDS), 0, *HEAD.unpack_from(payload)[2:]) + payload[HEAD.size :], 64)


def test_no_bytes_of_a_pack_or_a_dictionary_raise_anything_else(dictionary):
    chance = random.Random(11)
    codec, payload, raw_len = build_pack(RECORDS, dictionary)
    opened = 0
    for _ in range(1_500):
        data = bytearray(payload)
        for _ in range(chance.randint(1, 3)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            Pack(codec, bytes(data), raw_len, dictionary)
            opened += 1
        except CassetteError:
            pass
        bent = bytearray(dictionary.data)
        bent[chance.randrange(300)] ^= 1 << chance.randrange(8)
        try:
            Dictionary(bytes(bent)).expand(payload[HEAD.size + HEAD.unpack_from(payload)[2] :], raw_len)
        except CassetteError:
            pass
    assert opened < 1_000


def test_a_dictionary_is_a_hundredth_of_what_is_packed_at_most_and_left_out_where_that_is_little():
    samples = [random.Random(number).randbytes(40).hex().encode() * 3 for number in range(500)]
    assert Dictionary.trained(samples, 100_000) is None
    for whole in (800_000, 3_000_000):
        found = Dictionary.trained(samples, whole)
        assert found is not None
        assert len(found.data) <= whole // 100


@pytest.mark.parametrize("samples", [[], [b"x"] * 3, [b""] * 50])
def test_too_little_to_learn_from_gives_no_dictionary(samples):
    assert Dictionary.trained(samples, 1_000_000) is None
