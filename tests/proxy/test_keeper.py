"""The copy of a body that a recording keeps."""

import gzip

import pytest
from respool.cassettes.interaction import BlobRef
from respool.cassettes.writer import Writer
from respool.proxy.keeper import IN_MEMORY, BodyKeeper


@pytest.fixture
def writer(tmp_path):
    writer = Writer.create(tmp_path / "a.cassette")
    yield writer
    writer.discard()


def keep(writer, coding, pieces, *, secrets=()):
    seen = []
    keeper = BodyKeeper(writer, coding, secrets=secrets, begin=lambda: seen.append)
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
        data = data * 40
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
