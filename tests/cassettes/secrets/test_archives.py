"""What is packed is looked at as what it says, within bounds; what was not read is said."""

import bz2
import gzip
import io
import lzma
import os
import zipfile
from pathlib import Path

import pytest
import zstandard
from respool.cassettes.format import MAGIC
from respool.cassettes.secrets import archives
from respool.cassettes.secrets.archives import A_CASSETTE, NOT_OPENED, TOO_LARGE, TOO_MANY, Told, texts_of
from respool.cassettes.secrets.audit import suspects_in_file

KEY = "sk-proj-" + "abcdefghij0123456789ABCDEFGHIJ"
TEXT = f"one line\nand {KEY} in the second\n".encode()
MOST = 1 << 20


def zipped(*members: tuple[str, bytes], packed: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", packed) as archive:
        for name, said in members:
            archive.writestr(name, said)
        archive.comment = comment
    return made.getvalue()


def suspects(tmp_path: Path, data: bytes) -> list[tuple[str, str]]:
    path = tmp_path / "file"
    path.write_bytes(data)
    return [tuple(each) for each in suspects_in_file(path)]


def faults(data: bytes, most: int = MOST) -> list[str]:
    return [told.fault for told in texts_of(data, most=most) if told.fault]


@pytest.mark.parametrize("pack", [lzma.compress, bz2.compress, gzip.compress, zstandard.ZstdCompressor().compress])
def test_a_file_in_any_of_four_codings_is_read(tmp_path, pack):
    assert suspects(tmp_path, pack(TEXT)) == [("line 2", "openai-key")]
    assert suspects(tmp_path, pack(pack(TEXT))) == [("line 2", "openai-key")]


@pytest.mark.parametrize("packed", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_each_member_of_a_zip_is_read(tmp_path, packed):
    data = zipped(("word/document.xml", b"nothing"), ("word/notes.xml", TEXT), packed=packed)
    assert suspects(tmp_path, data) == [("word/notes.xml, line 2", "openai-key")]


def test_names_comments_and_what_stands_before_a_zip_are_looked_at_and_no_name_is_repeated(tmp_path):
    found = suspects(tmp_path, b"#!/bin/sh\n" + TEXT + zipped((f"a/{KEY}.txt", b"x"), comment=TEXT))
    assert found[0] == ("line 3", "openai-key")
    assert found[-2:] == [("line 2", "openai-key"), ("a/REDACTED.txt, the name", "openai-key")]
    assert not any(KEY in place for place, _ in found)


@pytest.mark.parametrize("packed", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_that_says_how_much_room_it_takes_is_not_opened(tmp_path, packed):
    assert suspects(tmp_path, zipped(("a.txt", TEXT), packed=packed)) == [("a.txt, the file", NOT_OPENED)]


def test_what_stands_between_members_behind_the_zip_and_in_comments_is_looked_at(tmp_path):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", b"a" * 100)
        made.write(TEXT)
        archive.start_dir = made.tell()
        info = zipfile.ZipInfo("b.txt")
        info.comment = TEXT
        archive.writestr(info, b"b")
    assert suspects(tmp_path, made.getvalue() + TEXT) == [
        ("line 2", "openai-key"),
        ("line 5", "openai-key"),
        ("b.txt, line 2", "openai-key"),
    ]
    assert suspects(tmp_path, zipped(("a.txt", TEXT)) + zipped(("b.txt", b"b"))) == [("the file", NOT_OPENED)]


def test_one_packed_file_in_another_is_opened_and_none_within_that(tmp_path):
    inner = zipped(("b.txt", TEXT))
    assert suspects(tmp_path, zipped(("a.zip", inner))) == [("a.zip, b.txt, line 2", "openai-key")]
    assert suspects(tmp_path, zipped(("a.gz", gzip.compress(TEXT)))) == [("a.gz, line 2", "openai-key")]
    third = zipped(("z.zip", zipped(("a.zip", inner))))
    assert suspects(tmp_path, third) == [("z.zip, a.zip, the file", NOT_OPENED)]


def test_what_cannot_be_opened_is_said():
    locked = bytearray(zipped(("a", TEXT)))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(mark) + at] |= 1
    assert faults(bytes(locked)) == [NOT_OPENED]
    assert faults(zipped(("a", TEXT), packed=zipfile.ZIP_LZMA)) == [NOT_OPENED]
    assert faults(zipped(("a", TEXT))[:-30]) == [NOT_OPENED]
    assert faults(b"7z\xbc\xaf\x27\x1c" + bytes(40)) == [NOT_OPENED]
    assert faults(lzma.compress(TEXT)[:20] + b"garbage" * 9) == [NOT_OPENED]
    assert faults(zipped(("a.cassette", MAGIC + b"x"))) == [A_CASSETTE]
    assert faults(gzip.compress(MAGIC + b"x")) == [A_CASSETTE]


def test_a_bomb_is_not_unpacked_to_its_end(monkeypatch):
    nothing = bytes(64 << 20)
    assert faults(zipped(("a", nothing), ("b", TEXT))) == [TOO_LARGE, TOO_LARGE]
    for pack in (lzma.compress, bz2.compress, gzip.compress):
        assert faults(pack(nothing)) == [NOT_OPENED]
    chance = os.urandom(MOST // 2)
    three = zipped(("a", chance), ("b", chance), ("c", chance), packed=zipfile.ZIP_STORED)
    assert faults(three) == [TOO_LARGE]
    monkeypatch.setattr(archives, "MOST_MEMBERS", 2)
    assert faults(zipped(*((str(number), b"") for number in range(3)))) == [TOO_MANY]


def test_whatever_a_file_says_nothing_but_texts_and_faults_comes_of_it():
    whole = zipped(("a.txt", TEXT * 20), ("b.txt", b"b"))
    for at in range(0, len(whole), 3):
        for flip in (0x01, 0x80, 0xFF):
            data = bytearray(whole)
            data[at] ^= flip
            assert all(isinstance(told, Told) for told in texts_of(bytes(data), most=MOST))
            assert all(isinstance(told, Told) for told in texts_of(bytes(data[:at]), most=MOST))


def test_what_only_begins_as_something_packed_is_read_as_it_is(tmp_path):
    assert suspects(tmp_path, b"BZh is three letters\n" + TEXT) == [("line 3", "openai-key")]
    assert suspects(tmp_path, TEXT + b"PK\x05\x06 is not the end of a list") == [("line 2", "openai-key")]
