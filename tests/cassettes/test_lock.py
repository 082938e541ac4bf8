import fcntl
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from respool.cassettes.errors import CassetteError
from respool.cassettes.lock import CassetteInUseError
from respool.cassettes.reader import Reader
from respool.cassettes.writer import Writer

HOLD = """
import sys
import threading
from respool.cassettes.writer import Writer
writer = getattr(Writer, sys.argv[1])(sys.argv[2])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Start another process that has a cassette open for writing."""
    started: list[subprocess.Popen] = []

    def start(how: str, path: Path) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, how, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_second_recorder_is_refused_by_name(tmp_path, holder):
    path = tmp_path / "a.cassette"
    process = holder("create", path)
    for overwrite in (False, True):
        with pytest.raises(CassetteInUseError) as caught:
            Writer.create(path, overwrite=overwrite)
        assert f"another respool is recording to {path}" in caught.value.message
    if Path("/proc/locks").exists():
        assert f"(process {process.pid})" in caught.value.message
    with Reader.open(tmp_path / "a.cassette.partial") as reader:
        assert len(reader) == 0


def test_a_second_appender_and_an_overwriter_are_refused(tmp_path, holder):
    path = tmp_path / "a.cassette"
    Writer.create(path).close()
    holder("append_to", path)
    with pytest.raises(CassetteInUseError):
        Writer.append_to(path)
    with pytest.raises(CassetteInUseError):
        Writer.create(path, overwrite=True)
    assert not (tmp_path / "a.cassette.partial").exists()


def test_a_killed_writer_leaves_no_lock(tmp_path, holder):
    path = tmp_path / "a.cassette"
    process = holder("create", path)
    process.kill()
    process.wait()
    with pytest.raises(CassetteError, match="cut short"):
        Writer.create(path)
    with Writer.append_to(tmp_path / "a.cassette.partial"):
        pass


def test_a_glance_of_somebody_else_keeps_no_writer_out(tmp_path):
    path = tmp_path / "a.cassette"
    Writer.create(path).close()
    with path.open("rb") as glance:
        fcntl.flock(glance, fcntl.LOCK_SH | fcntl.LOCK_NB)
        timer = threading.Timer(0.015, fcntl.flock, (glance, fcntl.LOCK_UN))
        timer.start()
        Writer.append_to(path).close()
        timer.join()


def test_two_writers_in_one_process_exclude_each_other(tmp_path):
    path = tmp_path / "a.cassette"
    Writer.create(path).close()
    first = Writer.append_to(path)
    with pytest.raises(CassetteInUseError):
        Writer.append_to(path)
    first.close()
    Writer.append_to(path).close()


def test_an_overwritten_file_that_is_appended_to_meanwhile_is_not_replaced(tmp_path):
    path = tmp_path / "a.cassette"
    Writer.create(path).close()
    new = Writer.create(path, overwrite=True)
    inode = path.stat().st_ino
    with Writer.append_to(path), pytest.raises(CassetteError, match=r"stays in .*\.partial"):
        new.close()
    assert path.stat().st_ino == inode
    assert (tmp_path / "a.cassette.partial").exists()


def test_a_file_system_without_locks_is_refused_and_left_clean(tmp_path, monkeypatch):
    def no_locks(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(CassetteError, match="cannot be locked"):
        Writer.create(tmp_path / "a.cassette")
    assert list(tmp_path.iterdir()) == []
