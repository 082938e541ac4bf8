import os
import struct
import threading

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from respool.cassettes.compression import MINIMUM, expand, squeeze
from respool.cassettes.errors import CassetteError
from respool.cassettes.format import MAX_PAYLOAD, RATIO_FREE, Codec, RecordType, lengths_allowed

TEXT = b"".join(b"line %d of a body\n" % number for number in range(5_000))


@given(st.binary(max_size=300), st.integers(1, 200))
def test_what_is_squeezed_expands_to_the_same(data, times):
    data *= times
    codec, stored = squeeze(data)
    assert len(stored) <= len(data)
    assert expand(codec, stored, len(data)) == data
    assert lengths_allowed(RecordType.BLOB, codec, 16 + len(stored), len(data))


def test_text_is_compressed_and_noise_and_small_bodies_are_not():
    assert squeeze(TEXT)[0] == Codec.ZSTD
    assert squeeze(os.urandom(100_000))[0] == Codec.RAW
    assert squeeze(bytes(MINIMUM - 1))[0] == Codec.RAW
    assert squeeze(bytes(MINIMUM))[0] == Codec.ZSTD


def test_what_would_expand_too_much_is_stored_as_it_is():
    assert squeeze(bytes(RATIO_FREE))[0] == Codec.ZSTD
    assert squeeze(bytes(RATIO_FREE + 1))[0] == Codec.RAW


@pytest.mark.parametrize("declared", [0, 1, len(TEXT) - 1, len(TEXT) + 1])
def test_a_wrong_length_is_refused(declared):
    _, stored = squeeze(TEXT)
    with pytest.raises(CassetteError):
        expand(Codec.ZSTD, stored, declared)
    with pytest.raises(CassetteError):
        expand(Codec.RAW, TEXT, declared)


def test_a_bomb_is_refused_before_it_expands():
    bomb = zstandard.ZstdCompressor(level=3).compress(bytes(64 << 20))
    for declared in (1 << 10, RATIO_FREE, MAX_PAYLOAD, 64 << 20):
        with pytest.raises(CassetteError):
            expand(Codec.ZSTD, bomb, declared)


def test_a_frame_that_declares_a_huge_size_takes_no_memory():
    single_segment_of_a_tebibyte = b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", 1 << 40)
    for data in (single_segment_of_a_tebibyte, b"\x28\xb5\x2f\xfd\x00\xff", b"", b"nonsense"):
        with pytest.raises(CassetteError):
            expand(Codec.ZSTD, data, 1000)


@pytest.mark.parametrize("declared", [1000, 999, 1001])
def test_a_frame_that_declares_another_size_than_it_has_is_refused(declared):
    stored = bytearray(zstandard.ZstdCompressor(write_checksum=False).compress(TEXT[:1000]))
    assert zstandard.frame_content_size(bytes(stored)) == 1000
    at = bytes(stored).index(struct.pack("<H", 1000 - 256))
    stored[at : at + 2] = struct.pack("<H", declared - 256)
    assert zstandard.frame_content_size(bytes(stored)) == declared
    if declared == 1000:
        assert expand(Codec.ZSTD, bytes(stored), declared) == TEXT[:1000]
    else:
        for length in (declared, 1000):
            with pytest.raises(CassetteError):
                expand(Codec.ZSTD, bytes(stored), length)


def test_a_window_above_the_cap_is_refused():
    parameters = zstandard.ZstdCompressionParameters(window_log=24)
    squeezer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    data = os.urandom(20_000)
    stored = squeezer.compress(data) + squeezer.flush()
    with pytest.raises(CassetteError):
        expand(Codec.ZSTD, stored, len(data))


def test_an_unknown_codec_is_refused():
    with pytest.raises(CassetteError):
        expand(Codec.ZSTD_DICTIONARY, b"x", 1)


def test_threads_do_not_share_a_context():
    bodies = [bytes([number]) * 10 + TEXT[number:] for number in range(8)]
    wrong: list[int] = []

    def work(number: int) -> None:
        for _ in range(50):
            codec, stored = squeeze(bodies[number])
            if expand(codec, stored, len(bodies[number])) != bodies[number]:
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
