"""Cassettes that a fuzzer writes: a short program says which frames there are, and their checksums are made right.

A program is a row of steps: kind (1 byte), how (1 byte, see `How`), length (2 bytes), and so many bytes of payload. So a
fuzzer that knows nothing of checksums gets past them, and what it changes is what they cover. The payload of a PACK that is
`RIGHT` is a program itself, for the records in it: there, and so behind the compression, is what is changed.
"""

import enum
import os
import struct
import zlib

import zstandard
from forgery import Forgery
from respool.cassettes.errors import CassetteError
from respool.cassettes.index import HEAD, PAGE
from respool.cassettes.packs import HEAD as PACK
from respool.cassettes.packs import Pack
from respool.cassettes.reader import Reader
from respool.cassettes.records import digest_of
from respool.cassettes.scan import Contents
from respool.cassettes.source import Source

KINDS = (1, 2, 3, 4, 5, 6, 200)
STEP = struct.Struct("<BBH")
ENTRY = struct.Struct("<BI")
MOST_STEPS = 64
MOST_READ = 1 << 20


class How(enum.IntFlag):
    """What is made of a payload before it is stored."""

    ZSTD = 1
    """The frame says that it is zstd."""
    SQUEEZED = 2
    """It is: compressed here, with the right length."""
    CLAIMS = 4
    """The frame says that 64 KiB come out of it."""
    SKIPS = 8
    """A record is missing before it."""
    RIGHT = 16
    """A blob gets its digest, a seal is true, the checksums in an index are made right, a pack is one."""


def build(program: bytes) -> bytes:
    """The bytes of the cassette that a program describes."""
    forgery = Forgery(meta=None)
    at = 0
    index_at = index_length = 0
    for _ in range(MOST_STEPS):
        if at + STEP.size > len(program):
            break
        kind, how, length = STEP.unpack_from(program, at)
        payload = program[at + STEP.size : at + STEP.size + length]
        at += STEP.size + length
        kind, how = KINDS[kind % len(KINDS)], How(how & 31)
        if how & How.SKIPS:
            forgery.frames += 1
        if kind == 5 and how & How.RIGHT:
            forgery.seal(index_offset=index_at, index_length=index_length)
            index_at = index_length = 0
            continue
        if kind == 4 and how & How.RIGHT:
            payload = checked_index(payload)
        if kind == 6 and how & How.RIGHT:
            calls, raw, payload = packed(payload)
            forgery.frame(6, payload, codec=1, raw=64 << 10 if how & How.CLAIMS else raw)
            forgery.interactions += calls
            continue
        head, rest = halves(kind, payload, how)
        raw = len(rest)
        if how & How.SQUEEZED:
            rest = zstandard.compress(rest)
        codec = 1 if how & (How.ZSTD | How.SQUEEZED) else 0
        place = forgery.frame(kind, head + rest, codec=codec, raw=64 << 10 if how & How.CLAIMS else raw)
        forgery.interactions += kind == 3
        if kind == 4:
            index_at, index_length = place, len(forgery.data) - place
    return bytes(forgery.data)


def halves(kind: int, payload: bytes, how: How) -> tuple[bytes, bytes]:
    """The prefix of a record and the rest."""
    prefix = {2: 16, 3: 56}.get(kind, 0)
    head, rest = payload[:prefix].ljust(prefix, b"\0"), payload[prefix:]
    return (digest_of(rest) if kind == 2 and how & How.RIGHT else head), rest


def packed(program: bytes) -> tuple[int, int, bytes]:
    """A pack of the records that a program describes: how many calls it says it has, its raw length, its payload.

    A record that `CLAIMS` is said to be longer than it is; one that `SKIPS` is not counted.
    """
    listed, data, count, calls, at = b"", b"", 0, 0, 0
    while at + STEP.size <= len(program) and count < MOST_STEPS:
        kind, how, length = STEP.unpack_from(program, at)
        payload = program[at + STEP.size : at + STEP.size + length]
        at += STEP.size + length
        kind, how = KINDS[kind % len(KINDS)], How(how & 31)
        head, rest = halves(kind, payload, how)
        listed += ENTRY.pack(kind, len(rest) + 9 * bool(how & How.CLAIMS)) + head
        data += rest
        count += not how & How.SKIPS
        calls += kind == 3
    stored = zstandard.compress(listed)
    return calls, len(data), PACK.pack(count, calls, len(stored), len(listed)) + stored + zstandard.compress(data)


def checked_index(payload: bytes) -> bytes:
    """An index payload with the checksums of its head and its pages made right."""
    payload = payload.ljust(HEAD.size, b"\0")
    fields = list(HEAD.unpack_from(payload))
    pages = min(fields[2], 64)
    start = HEAD.size + 4 * pages
    body = payload[start:]
    table = b"".join(struct.pack("<I", zlib.crc32(body[at : at + PAGE])) for at in range(0, len(body), PAGE))
    table = table[: 4 * pages].ljust(4 * pages, b"\0")
    fields[16] = zlib.crc32(table)
    head = HEAD.pack(*fields)[:-4]
    return head + struct.pack("<I", zlib.crc32(head)) + table + body


def program_of(data: bytes) -> bytes:
    """The program that describes an intact cassette."""
    steps, at = b"", 64
    while at < len(data):
        kind, stored = data[at + 4], struct.unpack_from("<I", data, at + 16)[0]
        how = How.RIGHT if kind in (2, 4, 5, 6) else How(0)
        payload = data[at + 32 : at + 32 + stored]
        if kind == 6:
            payload = program_of_pack(data[at + 5], payload, struct.unpack_from("<I", data, at + 20)[0])
        elif data[at + 5]:
            how |= How.ZSTD
        steps += STEP.pack(KINDS.index(kind), how, min(len(payload), 65_535)) + payload[:65_535]
        at += 32 + stored
    return steps


def program_of_pack(codec: int, payload: bytes, raw_len: int) -> bytes:
    """The program of the records in a pack that leans on no dictionary."""
    pack = Pack(codec, payload, raw_len, None)
    steps = b""
    for number, kind in enumerate(pack.contents.kinds):
        record = b"".join(pack.record(number, kind) or ())
        steps += STEP.pack(KINDS.index(kind), How.RIGHT if kind == 2 else 0, len(record)) + record
    return steps


def read_everything(data: bytes) -> int:
    """Open these bytes as a cassette in every way there is, and read it; returns how many interactions were told.

    Nothing but a CassetteError may come of it, and that stays here.
    """
    fd = os.memfd_create("fuzzed")
    told = 0
    try:
        os.write(fd, data)
        for salvage in (False, True):
            try:
                source = Source(fd, "fuzzed.cassette")
            except CassetteError:
                return 0
            try:
                told += _read(Reader(source, salvage=salvage))
            except CassetteError:
                pass
            finally:
                source.close()
        source = Source(fd, "fuzzed.cassette")
        try:
            contents = Contents(source)
            contents.chain_length()
            contents.last_arrival()
            contents.check()
        except CassetteError:
            pass
        finally:
            source.close()
    finally:
        os.close(fd)
    return told


def _read(reader: Reader) -> int:
    told = 0
    rows = list(reader.rows())
    assert len(rows) == len(reader)
    reader.scopes()
    for row in rows:
        reader.rows_of_key(row.summary.key)
        reader.rows_of_scope_hash(row.summary.scope)
        reader.scope_name(row.summary.scope)
        try:
            one = reader.interaction(row)
            assert one.arrival == row.summary.arrival
            for body in (one.request.body, one.response.body if one.response else None):
                if body is not None and body.length <= MOST_READ:
                    assert len(body.read()) == body.length
            told += 1
        except CassetteError:
            pass
    return told
