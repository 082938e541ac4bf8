import errno
import os
import stat
from pathlib import Path

import pytest
from cassette_samples import contents, put
from respool.cassettes import format as layout
from respool.cassettes.errors import CassetteError, DamagedCassetteError
from respool.cassettes.interaction import Interaction, Request
from respool.cassettes.reader import Reader
from respool.cassettes.summary import Summary
from respool.cassettes.writer import RecordingFailed, Writer


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_leftover_is_refused_with_what_to_do_and_replaced_on_demand(tmp_path):
    path = tmp_path / "a.cassette"
    writer = Writer.create(path)
    put(writer, b"cut short")
    writer.abandon()
    with pytest.raises(CassetteError) as caught:
        Writer.create(path)
    assert "a.cassette.partial" in caught.value.message
    assert "--overwrite" in caught.value.hint
    assert contents(tmp_path / "a.cassette.partial") == [b"cut short"]
    with Writer.create(path, overwrite=True) as writer:
        put(writer, b"again")
    assert contents(path) == [b"again"]


def test_symlinks_are_not_written_through(tmp_path):
    (tmp_path / "a.cassette.partial").symlink_to(tmp_path / "victim")
    for overwrite in (False, True):
        with pytest.raises(CassetteError):
            Writer.create(tmp_path / "a.cassette", overwrite=overwrite)
    assert not (tmp_path / "victim").exists()


def test_a_missing_folder_says_what_to_do(tmp_path):
    with pytest.raises(CassetteError) as caught:
        Writer.create(tmp_path / "none" / "a.cassette")
    assert "mkdir -p" in caught.value.hint


def test_a_torn_tail_is_set_aside_and_the_recording_goes_on(tmp_path):
    path = tmp_path / "a.cassette"
    writer = Writer.create(path)
    put(writer, b"whole")
    end = writer.bytes_written
    put(writer, b"torn")
    writer.abandon()
    partial = tmp_path / "a.cassette.partial"
    os.truncate(partial, end + 50)
    torn = partial.read_bytes()[end:]
    for number in (1, 2):
        with Writer.append_to(partial) as writer:
            assert writer.torn == tmp_path / f"a.cassette.partial.torn-{number}"
            assert writer.torn.read_bytes() == torn
            assert stat.S_IMODE(writer.torn.stat().st_mode) == 0o600
            put(writer, b"more")
        with partial.open("ab") as file:
            file.write(torn)
    assert contents(partial) == [b"whole", b"more", b"more"]


def test_damage_in_the_middle_refuses_an_append_and_changes_nothing(tmp_path):
    path = tmp_path / "a.cassette"
    with Writer.create(path) as writer:
        for _ in range(5):
            put(writer, b"body")
    data = bytearray(path.read_bytes())
    data[250] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedCassetteError) as caught:
        Writer.append_to(path)
    assert "doctor" in caught.value.hint
    assert path.read_bytes() == data
    assert names(tmp_path) == ["a.cassette"]


def test_a_blob_that_lies_about_its_digest_is_not_referred_to(tmp_path):
    path = tmp_path / "a.cassette"
    honest, other = b"h" * 600, b"o" * 600
    writer = Writer.create(path)
    batch = writer._batch()
    ref = writer._pieces.store(batch, honest)
    batch = writer._batch()
    batch.add(layout.RecordType.BLOB, layout.Codec.RAW, ref.digest, other, len(other))
    writer._write(batch)
    writer.close()
    writer = Writer.append_to(path)
    with pytest.raises(DamagedCassetteError):
        put(writer, honest)
    put(writer, b"fine")
    writer.close()
    assert contents(path) == [b"fine"]


@pytest.mark.parametrize("short", [0, 1, 40, 400])
def test_a_full_disk_ends_the_recording_at_a_whole_record(tmp_path, monkeypatch, short):
    path = tmp_path / "a.cassette"
    writer = Writer.create(path)
    put(writer, b"kept")
    write, calls = os.write, []

    def full(fd: int, data: memoryview) -> int:
        calls.append(1)
        if len(calls) == 1 and short:
            return write(fd, data[:short])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(RecordingFailed) as caught:
            put(writer, os.urandom(5_000))
        assert "No space left on device" in caught.value.message
        assert "after 1 call:" in caught.value.message
    for later in (lambda: put(writer), lambda: writer.put(b"x"), writer.close):
        with pytest.raises(RecordingFailed):
            later()
    assert writer.close() == tmp_path / "a.cassette.partial"
    with Reader.open(tmp_path / "a.cassette.partial") as reader:
        assert (len(reader), reader.dropped_bytes, reader.sealed) == (1, 0, False)
    assert contents(tmp_path / "a.cassette.partial") == [b"kept"]


def test_a_full_disk_at_the_start_leaves_nothing(tmp_path, monkeypatch):
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(RecordingFailed):
        Writer.create(tmp_path / "a.cassette")
    assert names(tmp_path) == []


@pytest.mark.parametrize("step", ["write", "fdatasync", "link", "fsync"])
def test_a_failure_while_closing_is_said_and_loses_nothing(tmp_path, monkeypatch, step):
    writer = Writer.create(tmp_path / "a.cassette")
    put(writer, b"kept")

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, step, fail)
        with pytest.raises(RecordingFailed, match=r"a\.cassette"):
            writer.close()
    assert writer.closed
    (left,) = names(tmp_path)
    assert contents(tmp_path / left) == [b"kept"]


@pytest.mark.parametrize("how", ["create", "append_to"])
def test_a_disk_that_refuses_a_durable_interaction_ends_the_recording(tmp_path, monkeypatch, how):
    path = tmp_path / "a.cassette"
    Writer.create(path).close() if how == "append_to" else None
    writer = getattr(Writer, how)(path, durable=True)
    put(writer, b"kept")

    def refuse(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", refuse)
        with pytest.raises(RecordingFailed, match="the disk did not take it: Input/output error"):
            put(writer, b"not sure")
    for later in (lambda: put(writer), writer.sync, writer.close):  # a second sync would say that all is well
        with pytest.raises(RecordingFailed):
            later()
    (left,) = names(tmp_path)
    assert contents(tmp_path / left)[0] == b"kept"


def test_a_name_that_cannot_be_made_to_last_is_said_before_anything_is_recorded(tmp_path, monkeypatch):
    def refuse(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(CassetteError, match="cannot be made to last"):
        Writer.create(tmp_path / "a.cassette", durable=True)
    assert names(tmp_path) == []


def test_what_cannot_be_removed_stays_and_hides_no_error(tmp_path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    writer = Writer.create(tmp_path / "a.cassette")
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refuse)
        writer.discard()
        patch.setattr(os, "write", refuse)
        with pytest.raises(RecordingFailed):
            Writer.create(tmp_path / "b.cassette")
        with pytest.raises(CassetteError, match="cannot be replaced"):
            Writer.create(tmp_path / "a.cassette", overwrite=True)
    assert names(tmp_path) == ["a.cassette.partial", "b.cassette.partial"]


def test_short_writes_and_signals_are_no_failure(tmp_path, monkeypatch):
    write, calls = os.write, []

    def slow(fd: int, data: memoryview) -> int:
        calls.append(1)
        if len(calls) % 3 == 0:
            raise InterruptedError
        return write(fd, data[:17])

    monkeypatch.setattr(os, "write", slow)
    body = os.urandom(2_000)
    with Writer.create(tmp_path / "a.cassette") as writer:
        put(writer, body)
    assert contents(tmp_path / "a.cassette") == [body]


def test_an_interrupt_inside_a_write_ends_the_recording_at_a_whole_record(tmp_path, monkeypatch):
    writer = Writer.create(tmp_path / "a.cassette")
    put(writer, b"kept")
    write = os.write

    def interrupted(fd: int, data: memoryview) -> int:
        write(fd, data)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            put(writer, b"interrupted")
    with pytest.raises(RecordingFailed):
        put(writer, b"later")
    writer.abandon()
    assert contents(tmp_path / "a.cassette.partial") == [b"kept"]


def test_a_file_system_without_hard_links_still_replaces_nothing(tmp_path, monkeypatch):
    def unsupported(*_: object, **__: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "link", unsupported)
    with Writer.create(tmp_path / "a.cassette") as writer:
        put(writer, b"one")
    assert contents(tmp_path / "a.cassette") == [b"one"]
    writer = Writer.create(tmp_path / "b.cassette")
    (tmp_path / "b.cassette").write_text("mine")
    with pytest.raises(RecordingFailed):
        writer.close()
    assert (tmp_path / "b.cassette").read_text() == "mine"


def test_an_interaction_that_cannot_be_stored_does_not_end_the_recording(tmp_path):
    with Writer.create(tmp_path / "a.cassette") as writer:
        too_much = ((b"name", bytes(layout.MAX_MAP)),)
        with pytest.raises(CassetteError) as caught:
            writer.append(Interaction(0, 0, Request("GET", b"/", too_much), None), Summary(*[0] * 10))
        assert not isinstance(caught.value, RecordingFailed)
        for summary in (
            Summary(*[-1] * 10),
            Summary(0, 0, 0, 1 << 63, 0, 0, 0, 0, 0, 0),
            Summary(*[0] * 6, 70_000, 0, 0, 0),
        ):
            with pytest.raises(CassetteError):
                writer.append(Interaction(0, 0, Request("GET", b"/"), None), summary)
        with pytest.raises(CassetteError):
            put(writer, extra={"later": float("nan")})
        put(writer, b"fine")
    assert contents(tmp_path / "a.cassette") == [b"fine"]


def test_as_a_context_it_keeps_the_partial_when_something_went_wrong(tmp_path):
    with pytest.raises(RuntimeError), Writer.create(tmp_path / "a.cassette") as writer:
        put(writer, b"kept")
        raise RuntimeError
    assert names(tmp_path) == ["a.cassette.partial"]
    assert contents(tmp_path / "a.cassette.partial") == [b"kept"]


def test_a_closed_writer_takes_no_more(tmp_path):
    writer = Writer.create(tmp_path / "a.cassette")
    writer.close()
    with pytest.raises(CassetteError, match="closed"):
        put(writer)


@pytest.mark.parametrize("meta", [{"a": float("nan")}, {"a": object()}, {"a": bytes(3 << 20)}])
def test_notes_that_cannot_be_stored_are_refused_before_a_file_is_made(tmp_path, meta):
    with pytest.raises(CassetteError):
        Writer.create(tmp_path / "a.cassette", meta=meta)
    assert names(tmp_path) == []


def test_descriptors_are_let_go(tmp_path):
    def opened() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = opened()
    path = tmp_path / "a.cassette"
    with Writer.create(path) as writer:
        put(writer, os.urandom(5_000))
    with Writer.append_to(path) as writer:
        put(writer, b"x")
    path.write_bytes(path.read_bytes() + b"torn")
    with Writer.append_to(path):
        pass
    for damaged in (b"", b"nonsense", path.read_bytes()[:70]):
        (tmp_path / "b.cassette").write_bytes(damaged)
        for attempt in (Writer.append_to, Reader.open):
            with pytest.raises(CassetteError):
                attempt(tmp_path / "b.cassette")
    with pytest.raises(CassetteError):
        Writer.create(path)
    assert contents(path)
    assert opened() == before
