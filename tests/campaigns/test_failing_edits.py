"""A cassette that is made of others, with a call of the system that fails, for every one: nothing is left of what was made.

What is read can be read again, so half of an edit is worth nothing; that of a recording is what was recorded, and stays.
"""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cassette_samples import contents, put
from recorded_calls import write_cassette
from respool.cassettes.editing import trim
from respool.cassettes.errors import CassetteError
from respool.cassettes.exports import FORMATS
from respool.cassettes.imports.importer import import_files
from respool.cassettes.joining import join
from respool.cassettes.migration import migrate
from respool.cassettes.packing import pack, pack_in_place
from respool.cassettes.reader import Reader
from respool.cassettes.repair import repair
from respool.cassettes.secrets.audit import redact_cassette
from respool.cassettes.secrets.cleaning import DEFAULT
from respool.cassettes.splitting import split
from respool.cassettes.writer import Writer

CALLS = [
    ("POST", b"/v1/threads", b"{}", b'{"id": "thread_a", "object": "thread"}', 200),
    ("POST", b"/v1/threads", b"{}", b'{"id": "thread_b", "object": "thread"}', 200),
    ("GET", b"/v1/threads/thread_a", b"", b'"' + b"x" * 5_000 + b'"', 200),
    ("GET", b"/v1/files", b"", b"1", 200),
]


def of(edit: Callable[[Reader, Path], object]) -> Callable[[Path, Path], object]:
    """The edit, with the cassette that it reads opened."""

    def opened(path: Path, out: Path) -> object:
        with Reader.open(path) as reader:
            return edit(reader, out)

    return opened


EDITS: dict[str, Callable[[Path, Path], object]] = {
    "trim": of(lambda reader, out: trim(reader, out, None)),
    "split": of(split),
    "merge": of(lambda reader, out: join([reader], out)),
    "redact": of(lambda reader, out: redact_cassette(reader, out, DEFAULT)),
    "pack": of(pack),
    "pack in place": lambda path, _: pack_in_place(path),
    "migrate": of(migrate),
    "repair": lambda path, _: repair(path),
    "import": lambda path, out: import_files([path.with_name("old.jsonl")], out),
}


class Disk:
    """Counts the calls that change a file; the one of number `at` finds no room, or is interrupted when it is done."""

    NAMES = ("write", "fdatasync", "fsync", "link")

    def __init__(self, patch: pytest.MonkeyPatch, at: int, *, interrupted: bool) -> None:
        self.count = 0
        for name in self.NAMES:
            patch.setattr(os, name, self._shim(getattr(os, name), at, interrupted))

    def _shim(self, real: Callable, at: int, interrupted: bool) -> Callable:
        def shim(*arguments, **options):
            self.count += 1
            if self.count == at and not interrupted:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            done = real(*arguments, **options)
            if self.count == at:
                raise KeyboardInterrupt
            return done

        return shim


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    path = write_cassette(tmp_path / "old.cassette", CALLS)
    with Reader.open(path) as reader:
        path.with_name("old.jsonl").write_text("".join(FORMATS["jsonl"](reader)))
    return path


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


@pytest.mark.parametrize("interrupted", [False, True], ids=["no room", "interrupted"])
@pytest.mark.parametrize("name", EDITS)
def test_an_edit_that_fails_at_any_call_leaves_what_was_there_and_nothing_else(cassette, tmp_path, name, interrupted):
    before, number, told = files(tmp_path), 0, []
    while True:
        number += 1
        with pytest.MonkeyPatch.context() as patch:
            disk = Disk(patch, number, interrupted=interrupted)
            try:
                EDITS[name](cassette, tmp_path / "new")
            except CassetteError as error:
                told.append(f"{error} {error.hint}")
            except KeyboardInterrupt:
                told.append("")
        if disk.count < number:
            break
        left = files(tmp_path)
        assert not [path for path in left if path.endswith((".partial", ".packed", ".new"))], number
        whole = {path: data for path, data in left.items() if path not in before}
        if name == "split":
            assert not whole, number
        for path in whole:  # a single file has its name, or not: what fails behind that takes it away no more
            with Reader.open(tmp_path / path) as reader:
                assert reader.sealed, number
            (tmp_path / path).unlink()
        if name != "pack in place":
            assert left.items() >= before.items(), number
        cassette.write_bytes(before["old.cassette"])
    assert len(told) > 3
    assert not [each for each in told if ".partial" in each], "nobody is sent to a file that is gone"


def test_a_recording_that_cannot_be_sealed_stays(tmp_path, monkeypatch):
    writer = Writer.create(tmp_path / "a.cassette")
    put(writer, b"recorded")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fdatasync", full)
    with pytest.raises(CassetteError, match="No space left on device"):
        writer.close()
    monkeypatch.undo()
    assert contents(tmp_path / "a.cassette.partial") == [b"recorded"]
