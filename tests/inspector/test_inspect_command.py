import http.client
import os
import signal
import subprocess
import sys

from nursery import Command, run
from on_terminal import PATIENCE, OnTerminal


def test_on_a_terminal_it_shows_the_cassette_and_q_quits(made, cassette):
    command = OnTerminal("inspect", str(cassette(*made.refund())))
    command.until(b"money back")
    command.type(b"q")
    assert command.end() == 0
    assert b"demo.cassette" in command.written
    assert b"Traceback" not in command.written


def test_without_a_terminal_it_points_to_show(made, cassette):
    path = cassette(*made.refund())
    done = run(["inspect", str(path)], timeout=PATIENCE, environment=os.environ)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "respool: respool inspect draws on a terminal, and this is none",
        f"  respool show {path} prints the same as text, respool inspect --web shows it in a browser",
    ]


def test_no_such_file_is_one_line_and_status_3(tmp_path):
    command = OnTerminal("inspect", str(tmp_path / "none.cassette"))
    assert command.end() == 3
    assert command.written.startswith(b"respool: ")
    assert b"none.cassette" in command.written
    assert b"\x1b" not in command.written
    assert b"Traceback" not in command.written


def test_a_file_that_is_no_cassette_is_refused_before_the_screen_is_taken(tmp_path):
    path = tmp_path / "x.cassette"
    path.write_text("http_interactions: []")
    command = OnTerminal("inspect", str(path))
    assert command.end() == 3
    assert b"\x1b" not in command.written


def test_the_command_line_knows_it_without_loading_a_screen():
    code = "import sys; from respool.cli.main import build_parser; assert 'inspect' in build_parser().format_help(); "
    code += "print([name for name in ('textual', 'rich', 'aiohttp') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE)
    assert done.stdout == "[]\n"


def test_a_running_proxy_is_found_and_shown_live(made, cassette, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    path = cassette(*made.refund())
    proxy = Command(["replay", str(path), "--port", "0"], environment=os.environ)
    try:
        url = proxy.stdout.readline().strip()
        command = OnTerminal("inspect")
        command.until(b"LIVE 127.0.0.1:")
        connection = http.client.HTTPConnection(
            "127.0.0.1", int(url.rpartition(":")[2].partition("/")[0]), timeout=PATIENCE
        )
        connection.request("POST", "/threads", b"{}")
        assert b"thread_a" in connection.getresponse().read()
        connection.close()
        command.until(b"createThread")
        command.until(b"1 hit 0 misses")
        command.type(b"q")
        assert command.end() == 0
        assert b"Traceback" not in command.written
    finally:
        proxy.terminate()
        assert proxy.wait(PATIENCE) == 0
        proxy.close()
    assert list((tmp_path / "cache" / "respool" / "run").iterdir()) == []


def test_it_ends_with_its_terminal(made, cassette):
    terminal = OnTerminal("inspect", str(cassette(*made.refund())))
    terminal.until(b"money back")
    assert terminal.hang_up() == -signal.SIGTERM
