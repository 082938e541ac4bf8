"""The n-th call of the system fails, for every n: a full disk, a bad one, a signal in between, a write that is cut short.

What was appended before comes back byte for byte, only the project's own error escapes, and the name is never given to less.
"""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from campaign import sized
from cassette_samples import call, read, summary
from respool.cassettes.errors import CassetteError
from respool.cassettes.interaction import Interaction
from respool.cassettes.reader import Reader
from respool.cassettes.writer import Writer
from specimens import noise

CALLS = ("write", "fdatasync", "fsync", "ftruncate", "link", "unlink", "open", "pread", "replace")


class Faults:
    """Counts the calls in CALLS and has the n-th answered by `fault`, which gets the real call; later ones if it `stays`."""

    def __init__(self, patch: pytest.MonkeyPatch, number: int, fault: Callable, *, stays: bool = False) -> None:
        self.count = 0
        for name in CALLS:
            patch.setattr(os, name, self._shim(getattr(os, name), number, fault, stays))

    def _shim(self, real: Callable, number: int, fault: Callable, stays: bool) -> Callable:
        def shim(*arguments, **options):
            self.count += 1
            if self.count == number or (stays and self.count > number):
                return fault(real, *arguments, **options)
            return real(*arguments, **options)

        return shim


def fails(code: int) -> Callable:
    def fault(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    return fault


def cut_short(real: Callable, *arguments, **options) -> object:
    """A write of a part, where there is one to be written; any other call as ever."""
    if real.__name__ == "write":
        return real(arguments[0], memoryview(arguments[1])[: max(1, len(arguments[1]) // 2)])
    return real(*arguments, **options)


def record(path: Path, appended: list[Interaction], *, durable: bool) -> None:
    """Two recordings into one cassette; `appended` gets what `append` returned for."""
    bodies = [b"", b"one", noise(700, 1), b"text " * 2_000, noise(700, 1), noise(40_000, 2)]
    for start, part in ((0, bodies), (10, bodies[::2])):
        writer = Writer.append_to(path, durable=durable) if start else Writer.create(path, durable=durable)
        with writer:
            for number, body in enumerate(part, start):
                one = call(number, body)
                writer.append(one, summary(one))
                appended.append(one)


def found(path: Path) -> list[Interaction]:
    """What is in the cassette under the name that it has now; nothing where there is none."""
    partial = path.with_name(path.name + ".partial")
    if path.exists():
        with Reader.open(path) as reader:
            assert reader.sealed or len(reader) > 6, "the name belongs to a finished recording"
        return read(path)
    return read(partial) if partial.exists() else []


def all_calls(folder: Path, *, durable: bool) -> int:
    with pytest.MonkeyPatch.context() as patch:
        faults = Faults(patch, 0, cut_short)
        record(folder / "a.cassette", [], durable=durable)
        return faults.count


@pytest.mark.parametrize("stays", [False, True], ids=["once", "for-good"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO], ids=["full", "bad"])
@pytest.mark.parametrize("durable", [False, True], ids=["default", "durable"])
def test_a_disk_that_fails_at_any_call_takes_nothing_that_was_recorded(tmp_path, durable, code, stays):
    total = all_calls(tmp_path, durable=durable)
    assert total > 20
    stopped = 0
    for number in range(1, total + 1, sized(2, 1)):
        path = tmp_path / f"{number}.cassette"
        appended: list[Interaction] = []
        with pytest.MonkeyPatch.context() as patch:
            Faults(patch, number, fails(code), stays=stays)
            try:
                record(path, appended, durable=durable)
            except CassetteError:
                stopped += 1
        try:
            got = found(path)
        except CassetteError:  # it could not even be begun, nor what there was of it removed
            got = []
        assert got[: len(appended)] == appended, number
        assert len(got) <= len(appended) + 1, "at most the one that was under way, and whole"
    assert stopped >= total // (4 if stays is False else 3)


@pytest.mark.parametrize("durable", [False, True], ids=["default", "durable"])
def test_signals_and_short_writes_at_any_call_change_nothing(tmp_path, durable):
    total = all_calls(tmp_path, durable=durable)
    wanted: list[Interaction] = []
    record(tmp_path / "wanted.cassette", wanted, durable=durable)

    def interrupted(real: Callable, *arguments, **options) -> object:
        if real.__name__ == "write":  # the others are called again by Python itself (PEP 475)
            raise InterruptedError(errno.EINTR, os.strerror(errno.EINTR))
        return real(*arguments, **options)

    for fault in (interrupted, cut_short):
        for number in range(1, total + 1, sized(3, 1)):
            path = tmp_path / f"{fault.__name__}-{number}.cassette"
            appended: list[Interaction] = []
            with pytest.MonkeyPatch.context() as patch:
                Faults(patch, number, fault)
                record(path, appended, durable=durable)
            assert read(path) == wanted == appended
