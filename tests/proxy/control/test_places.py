import os
import pwd
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from respool.cassettes.errors import UsageError
from respool.proxy.control import places
from respool.proxy.control.hub import Hub
from respool.proxy.control.protocol import ControlError
from respool.proxy.control.server import control


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A user without a runtime folder."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "respool" / "run"


def test_the_folder_is_made_for_the_user_alone_whatever_the_umask(home):
    before = os.umask(0)
    try:
        assert places.folder(make=True) == home
    finally:
        os.umask(before)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_the_runtime_folder_is_taken_where_it_can_be_trusted(tmp_path, monkeypatch, home):
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    assert places.folder(make=True) == runtime / "respool"
    runtime.chmod(0o777)
    assert places.folder(make=True) == home
    monkeypatch.setenv("XDG_RUNTIME_DIR", "relative")
    assert places.folder(make=True) == home


def test_a_folder_that_others_may_enter_or_that_is_a_link_is_refused(home, tmp_path):
    home.mkdir(parents=True, mode=0o755)
    home.chmod(0o755)
    with pytest.raises(ControlError):
        places.folder(make=True)
    home.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    home.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ControlError):
        places.place_for(8080)
    home.unlink()
    home.write_text("a file")
    with pytest.raises(ControlError):
        places.folder()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_refused(home):
    home.mkdir(parents=True, mode=0o700)
    os.chown(home, 12345, 12345)
    with pytest.raises(ControlError):
        places.folder(make=True)


def test_the_socket_is_for_the_user_alone_from_the_start(tmp_path):
    before = os.umask(0)
    try:
        listener = places.bind(tmp_path / "c.sock")
    finally:
        os.umask(before)
    with listener:
        assert stat.S_IMODE((tmp_path / "c.sock").stat().st_mode) == 0o600


def test_what_a_dead_process_left_is_replaced_and_a_living_one_never(tmp_path):
    path = tmp_path / "c.sock"
    dead = places.bind(path)
    dead.close()
    with places.bind(path):
        with pytest.raises(UsageError, match="another proxy listens"):
            places.bind(path)
        assert places.answers(path)


def test_one_that_is_too_busy_to_answer_is_not_taken_for_dead(tmp_path):
    path = tmp_path / "c.sock"
    with socket.socket(socket.AF_UNIX) as busy:
        busy.bind(str(path))
        busy.listen(0)
        callers = []
        try:
            while True:
                callers.append(socket.socket(socket.AF_UNIX))
                callers[-1].setblocking(False)
                callers[-1].connect(str(path))
        except BlockingIOError:
            pass
        try:
            assert places.answers(path)
            with pytest.raises(UsageError, match="another proxy listens"):
                places.bind(path)
        finally:
            for caller in callers:
                caller.close()


@pytest.mark.parametrize("kind", ["file", "folder", "link", "nowhere", "long", "null"])
def test_what_is_no_socket_is_left_alone(tmp_path, kind):
    path = tmp_path / "c.sock"
    match kind:
        case "file":
            path.write_text("precious")
        case "folder":
            path.mkdir()
        case "link":
            (tmp_path / "to").write_text("precious")
            path.symlink_to(tmp_path / "to")
        case "nowhere":
            path = tmp_path / "no" / "c.sock"
        case "long":
            path = tmp_path / ("x" * 120)
        case "null":
            path = Path(str(path) + "\0")
    with pytest.raises(UsageError):
        places.bind(path)
    if kind == "file":
        assert path.read_text() == "precious"


def test_running_proxies_are_found_by_their_sockets_and_dead_ones_are_swept(home):
    first = places.place_for(8080)
    assert list(places.running()) == []
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    stale = home / f"8081-{gone.pid}.sock"
    places.bind(stale).close()
    (home / "other.txt").write_text("")
    with places.bind(first):
        assert [(each.port, each.pid) for each in places.running()] == [(8080, os.getpid())]
    places.place_for(8082)
    assert not stale.exists()
    assert (home / "other.txt").exists()


async def test_a_proxy_goes_on_without_a_socket_unless_it_was_asked_for_by_name(home, tmp_path):
    home.mkdir(parents=True, mode=0o755)
    home.chmod(0o755)
    said = []
    async with control(Hub("record"), "", 8080, narrate=said.append) as address:
        assert address == ""
    assert len(said) == 1
    assert said[0].startswith("respool: no control API: ")
    with pytest.raises(UsageError):
        async with control(Hub("record"), str(tmp_path), 8080, narrate=said.append):
            pass
    with pytest.raises(UsageError):
        async with control(Hub("record"), "127.0.0.1:99999", 8080, narrate=said.append):
            pass


async def test_at_the_end_the_socket_goes_unless_it_is_another_by_then(tmp_path):
    path = tmp_path / "c.sock"
    async with control(Hub("record"), str(path), 8080, narrate=print):
        assert places.answers(path)
    assert not path.exists()
    async with control(Hub("record"), str(path), 8080, narrate=print):
        path.unlink()
        other = socket.socket(socket.AF_UNIX)
        other.bind(str(path))
    assert path.exists()
    other.close()


async def test_off_opens_nothing(home):
    async with control(Hub("record"), "off", 8080, narrate=print) as address:
        assert address == ""
    assert not home.exists()


def test_who_has_no_home_folder_is_told_what_to_set(monkeypatch):
    def unknown(_):
        raise KeyError

    for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    with pytest.raises(ControlError, match="no home folder") as told:
        places.folder(make=True)
    assert "XDG_RUNTIME_DIR" in told.value.hint
