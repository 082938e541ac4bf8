"""The key of a request on its way in is the key that its recording has."""

import gzip
import os

import pytest
import zstandard
from respool.cassettes.interaction import Request
from respool.cassettes.keys import KeyBuilder, request_key
from respool.cassettes.writer import Writer
from respool.proxy.keeper import IN_MEMORY_DECODED, BodyKeeper
from respool.proxy.spellings import MOST_DECODED, LargeKey, Spellings, decoded

TARGET = b"/v1/files"
NOISE = os.urandom(1 << 20)


def recorded_key(tmp_path, coding, headers, pieces):
    writer = Writer.create(tmp_path / "a.cassette")
    builders = []

    def begin():
        builders.append(KeyBuilder("POST", TARGET, headers))
        return builders[-1].feed

    keeper = BodyKeeper(writer, coding, secrets=lambda: (), begin=begin)
    for piece in pieces:
        keeper.feed(piece)
    kept = keeper.finish()
    key = builders[-1].finish() if builders else request_key(Request("POST", TARGET, headers, kept.body))
    writer.discard()
    return key, kept.coding


@pytest.mark.parametrize(
    ("coding", "data", "undone"),
    [
        ("gzip", gzip.compress(b'{"a": 1}'), True),
        ("gzip", b'{"a": 1}', False),
        ("gzip", b"", False),
        ("zstd", zstandard.compress(NOISE + b"x" * 100), True),
        # More than is held in memory as it comes, and more than is held of it decoded.
        ("gzip", gzip.compress((NOISE[:70_000] + bytes(930_000)) * (IN_MEMORY_DECODED // 1_000_000 + 1), 6), True),
        ("gzip", gzip.compress(bytes(1 << 20)) * 100, False),
        ("zstd", zstandard.compress(bytes(64 << 20)) * 200, False),
        ("gzip", gzip.compress(NOISE + NOISE) + b"and something", False),
        ("gzip", NOISE * 2, False),
    ],
    ids=["small", "mislabelled", "empty", "medium", "large", "bomb", "zstd bomb", "trailing", "large mislabelled"],
)
def test_a_request_is_keyed_as_it_was_recorded_in_whatever_pieces(tmp_path, coding, data, undone):
    headers = ((b"content-encoding", coding.encode()), (b"content-type", b"application/json"))
    pieces = [data[at : at + 50_001] for at in range(0, len(data), 50_001)]
    key, kept = recorded_key(tmp_path, coding, headers, pieces)
    assert kept == (coding if undone else "")
    assert Spellings(b"salt").identify("POST", TARGET, headers, data)[0] == key
    large = LargeKey("POST", TARGET, headers)
    for at in range(0, len(data), 65536):
        large.feed(data[at : at + 65536])
    assert large.finish() == key


def test_what_is_explained_is_decoded_or_as_it_came_or_too_large():
    headers = ((b"content-encoding", b"gzip"),)
    assert decoded((), b"plain") == b"plain"
    assert decoded(headers, gzip.compress(b"plain")) == b"plain"
    assert decoded(headers, b"plain") == b"plain"
    large = gzip.compress((NOISE[:20_000] + bytes(980_000)) * (MOST_DECODED // 1_000_000 + 1))
    assert decoded(headers, large) == b""


def test_a_request_that_was_seen_is_not_read_again():
    spellings = Spellings(b"salt")
    first = spellings.identify("POST", TARGET, (), b'{"a": 1}')
    assert spellings.identify("POST", TARGET, (), b'{"a": 1}') is first
    assert spellings.identify("POST", TARGET, (), b'{ "a": 1.0 }') == first
