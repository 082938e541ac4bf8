"""Content codings undone piece by piece."""

import bz2
import gzip
import lzma
import os
import tracemalloc
import zlib
from itertools import pairwise

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from respool.cassettes.coding import FREE, MOST_RATIO, CodingError, Decoder, undoable


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKERS = {
    "gzip": ("gzip", lambda data: gzip.compress(data, mtime=0)),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "zstd": ("zstd", zstandard.ZstdCompressor().compress),
    "br": ("br", lambda data: brotli.compress(data, quality=5)),
}


@pytest.mark.parametrize("name", PACKERS)
@given(data=st.binary(max_size=5000), cuts=st.lists(st.integers(0, 5100), max_size=5))
def test_a_body_in_any_pieces_comes_out_whole(name, data, cuts):
    coding, pack = PACKERS[name]
    packed = pack(data)
    edges = [0, *sorted(min(cut, len(packed)) for cut in cuts), len(packed)]
    decoder = Decoder(coding)
    out = [decoder.feed(packed[start:end]) for start, end in pairwise(edges)]
    assert b"".join(out) == data
    assert decoder.whole


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_several_members_on_end_are_one_body(name):
    coding, pack = PACKERS[name]
    decoder = Decoder(coding)
    assert decoder.feed(pack(b"one ") + pack(b"two")) == b"one two"
    assert decoder.whole


@pytest.mark.parametrize("name", PACKERS)
def test_a_cut_body_decodes_as_far_as_it_goes(name):
    coding, pack = PACKERS[name]
    data = os.urandom(200_000)
    decoder = Decoder(coding)
    got = decoder.feed(pack(data)[:150_000])
    assert data.startswith(got)
    assert not decoder.whole


@pytest.mark.parametrize("name", PACKERS)
def test_a_bomb_is_refused(name):
    coding, pack = PACKERS[name]
    with pytest.raises(CodingError, match="more than is kept"):
        Decoder(coding, most=1 << 20).feed(pack(bytes(64 << 20)))


def zeros_in_zstd(blocks: int) -> bytes:
    """A frame (RFC 8878 section 3.1.1) of `blocks` RLE blocks: 128 KiB of zeros in four bytes each."""
    head = bytes.fromhex("28b52ffd 00 38")  # a window of 128 KiB
    block, last = ((flag | 1 << 1 | 128 << 13).to_bytes(3, "little") + b"\0" for flag in (0, 1))
    return head + block * (blocks - 1) + last


@pytest.mark.parametrize(
    ("coding", "bomb"),
    [
        ("zstd", lambda: zeros_in_zstd(300_000)),
        ("gzip", lambda: gzip.compress(bytes(16 << 20), mtime=0) * 64),
        ("br", lambda: brotli.compress(os.urandom(1 << 20) + bytes(320 << 20), quality=1)),
    ],
    ids=["zstd", "gzip", "br"],
)
def test_a_bomb_comes_out_a_little_at_a_time_and_no_further_than_its_length_allows(coding, bomb):
    bomb = bomb()
    assert len(bomb) > 1_000_000
    given = 0
    tracemalloc.start()
    try:
        with pytest.raises(CodingError, match="for its length"):
            for piece in Decoder(coding).slices(bomb):
                given += len(piece)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert given < (16 << 20 if coding != "br" else 256 << 20)  # of its first MiB, br may make 200
    assert peak < 32 << 20


@pytest.mark.parametrize(("coding", "pack"), [("xz", lzma.compress), ("bz2", bz2.compress)])
def test_what_a_file_comes_to_comes_out_a_mebibyte_at_a_time(coding, pack):
    text = os.urandom(1 << 20) + bytes(8 << 20)
    pieces = list(Decoder(coding).slices(pack(text)))
    assert b"".join(pieces) == text
    assert max(map(len, pieces)) <= 1 << 20


@pytest.mark.parametrize("name", ["gzip", "zstd", "br"])
@pytest.mark.parametrize("zeros", [FREE, 3 << 20])
def test_what_is_allowed_does_not_depend_on_the_pieces(name, zeros):
    coding, pack = PACKERS[name]
    # Near the limit: what is random takes its length on the wire, and zeros take almost none.
    for noise in range(zeros // MOST_RATIO - 6000, zeros // MOST_RATIO + 2000, 997):
        packed = pack(os.urandom(max(noise, 0)) + bytes(zeros)) + (pack(b"end" * 1000) if name != "br" else b"")
        verdicts = set()
        for step in (1, 700, 4096, len(packed)):
            decoder = Decoder(coding)
            try:
                verdicts.add(sum(len(decoder.feed(packed[at : at + step])) for at in range(0, len(packed), step)))
            except CodingError:
                verdicts.add(-1)
        assert len(verdicts) == 1


def test_a_body_that_is_long_on_the_wire_and_empty_inside_is_refused():
    with pytest.raises(CodingError, match="more than is kept"):
        Decoder("gzip", most=1000).feed(gzip.compress(b"") * 100)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd", "br"])
def test_what_is_not_in_the_coding_is_refused(coding):
    with pytest.raises(CodingError):
        Decoder(coding).feed(b'{"plain": "text"}' * 10)


@pytest.mark.parametrize(("coding", "body"), [("deflate", zlib.compress(b"one")), ("br", brotli.compress(b"one"))])
def test_what_follows_the_body_is_refused(coding, body):
    for pieces in ([body + b"xx"], [body, b"xx"]):
        decoder = Decoder(coding)
        with pytest.raises(CodingError, match="something follows"):
            for piece in pieces:
                decoder.feed(piece)


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        (b"gzip", "gzip"),
        (b" X-GZIP ", "gzip"),
        (b"zstd", "zstd"),
        (b"br", "br"),
        (b"compress", ""),
        (b"gzip, br", ""),
        (b"identity", ""),
        (None, ""),
    ],
)
def test_only_codings_that_can_be_undone_are_named(header, coding):
    assert undoable(header) == coding
