"""Content codings undone piece by piece."""

import gzip
import os
import zlib
from itertools import pairwise

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from respool.cassettes.coding import CodingError, Decoder, undoable


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKERS = {
    "gzip": ("gzip", lambda data: gzip.compress(data, mtime=0)),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "zstd": ("zstd", zstandard.ZstdCompressor().compress),
}


@pytest.mark.parametrize("name", PACKERS)
@given(data=st.binary(max_size=5000), cuts=st.lists(st.integers(0, 5100), max_size=5))
def test_a_body_in_any_pieces_comes_out_whole(name, data, cuts):
    coding, pack = PACKERS[name]
    packed = pack(data)
    edges = [0, *sorted(min(cut, len(packed)) for cut in cuts), len(packed)]
    decoder = Decoder(coding)
    # A first piece of one byte cannot tell raw deflate from wrapped; no server sends one.
    if name == "raw deflate":
        edges = [0, len(packed)]
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


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
def test_what_is_not_in_the_coding_is_refused(coding):
    with pytest.raises(CodingError):
        Decoder(coding).feed(b'{"plain": "text"}' * 10)


def test_what_follows_a_deflate_body_is_refused():
    with pytest.raises(CodingError, match="something follows"):
        Decoder("deflate").feed(zlib.compress(b"one") + b"xx")


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        (b"gzip", "gzip"),
        (b" X-GZIP ", "gzip"),
        (b"zstd", "zstd"),
        (b"br", ""),
        (b"gzip, br", ""),
        (b"identity", ""),
        (None, ""),
    ],
)
def test_only_codings_that_can_be_undone_are_named(header, coding):
    assert undoable(header) == coding
