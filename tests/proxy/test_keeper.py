"""The copy of a body that a recording keeps."""

import gzip
import os
import tracemalloc

import pytest
from respool.cassettes.interaction import BlobRef
from respool.cassettes.writer import Writer
from respool.proxy.keeper import IN_MEMORY, IN_MEMORY_DECODED, BodyKeeper


@pytest.fixture
def writer(tmp_path):
    writer = Writer.create(tmp_path / "a.cassette")
    yield writer
    writer.discard()


def keep(writer, coding, pieces, *, secrets=()):
    seen = []

    def begin():
        seen.clear()
        return seen.append

    keeper = BodyKeeper(writer, coding, secrets=lambda: secrets, begin=begin)
    for piece in pieces:
        keeper.feed(piece)
    return keeper.finish(), b"".join(seen)


def test_a_small_body_stays_in_memory_and_is_decoded(writer):
    packed = gzip.compress(b"hello")
    kept, seen = keep(writer, "gzip", [packed[:5], packed[5:]])
    assert (kept.body.read(), kept.coding, kept.spooled, seen) == (b"hello", "gzip", False, b"")
    assert sum(kept.lengths) == 5
    assert len(kept.lengths) == 2


def test_a_body_in_another_coding_than_it_says_stays_as_it_came(writer):
    kept, _ = keep(writer, "gzip", [b"plain"])
    assert (kept.body.read(), kept.coding) == (b"plain", "")


@pytest.mark.parametrize("coding", ["", "gzip"])
def test_a_large_body_goes_to_the_cassette_in_pieces_and_is_observed(writer, coding):
    data = b"0123456789abcdef" * (IN_MEMORY // 8)
    sent = gzip.compress(data, 1) + gzip.compress(b"", 1) if coding else data
    if coding:
        data = data * (IN_MEMORY_DECODED // len(data) + 1)
        sent = gzip.compress(data, 0)
    pieces = [sent[start : start + 70_000] for start in range(0, len(sent), 70_000)]
    kept, seen = keep(writer, coding, pieces)
    assert kept.spooled
    assert all(isinstance(part, BlobRef) for part in kept.body.parts)
    assert kept.body.read() == seen == data
    assert sum(kept.lengths) == len(data)


def test_a_secret_is_scrubbed_from_a_large_body_also_across_pieces(writer):
    secret = b"sk-0123456789"
    data = b"x" * (IN_MEMORY + 10) + secret + b"y" * 100 + secret
    cut = IN_MEMORY + 15
    kept, _ = keep(writer, "", [data[:cut], data[cut:]], secrets=(secret,))
    assert secret not in kept.body.read()
    assert kept.body.read().count(b"REDACTED") == 2


def cut(data, step=70_000):
    return [data[start : start + step] for start in range(0, len(data), step)]


NOISE = os.urandom(IN_MEMORY + 300_000)
PLAIN = b'{"text": "plain"}' * (IN_MEMORY // 10)


@pytest.mark.parametrize(
    "sent",
    [
        PLAIN,
        gzip.compress(NOISE) + b"something else",
        gzip.compress(NOISE)[:-4] + b"\0\0\0\0" + PLAIN,
        gzip.compress(NOISE) + PLAIN,
        gzip.compress(bytes(8 << 20)) * 200,
    ],
    ids=["mislabelled", "trailing", "wrong length", "mixed", "bomb"],
)
def test_a_large_body_that_cannot_be_decoded_is_kept_as_it_came_to_the_last_byte(writer, sent):
    pieces = cut(sent)
    kept, seen = keep(writer, "gzip", pieces)
    assert kept.coding == ""
    assert kept.body.read() == seen == sent
    assert kept.lengths == [*map(len, pieces), 0]


def test_the_secrets_of_a_mislabelled_body_are_scrubbed(writer):
    secret = b"sk-0123456789"
    kept, seen = keep(writer, "gzip", cut(PLAIN + secret + PLAIN, 1000), secrets=(secret,))
    assert kept.body.read() == seen == PLAIN + b"REDACTED" + PLAIN


def test_the_pieces_of_a_large_decoded_body_have_its_lengths(writer):
    pieces = cut(gzip.compress(NOISE))
    kept, _ = keep(writer, "gzip", pieces)
    assert kept.coding == "gzip"
    assert len(kept.lengths) == len(pieces) + 1
    assert sum(kept.lengths) == kept.body.length == len(NOISE)


def test_a_body_that_is_small_on_the_wire_only_is_not_held_in_memory(writer):
    data = (os.urandom(1000) + bytes(99_000)) * (2 * IN_MEMORY_DECODED // 100_000)
    pieces = cut(gzip.compress(data, 1))
    assert sum(map(len, pieces)) < IN_MEMORY
    tracemalloc.start()
    try:
        keeper = BodyKeeper(writer, "gzip", secrets=lambda: (), begin=lambda: lambda data: None)
        for piece in pieces:
            keeper.feed(piece)
        kept = keeper.finish()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.5 * IN_MEMORY_DECODED
    assert (kept.coding, kept.spooled, kept.body.read() == data) == ("gzip", True, True)


def test_of_no_bytes_nothing_is_undone(writer):
    assert keep(writer, "gzip", [])[0].coding == ""
    assert keep(writer, "gzip", [b""])[0].coding == ""
