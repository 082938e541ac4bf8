"""The panel's text in an editor: on a terminal of its own, with a stub that tells what it was given."""

import json
import os
import stat
import sys
from pathlib import Path

import pytest
from on_terminal import OnTerminal

STUB = """
import json, os, sys
path = sys.argv[-1]
folder = os.path.dirname(path)
told = {"words": sys.argv[1:-1], "mode": os.stat(path).st_mode, "folder": os.stat(folder).st_mode, "path": path,
        "text": open(path, encoding="utf-8").read(), "terminal": os.isatty(0) and os.isatty(1)}
open(path, "w").write("overwritten")
json.dump(told, open(os.environ["TOLD"], "w"))
print("EDITOR" + " WAS HERE")
"""


@pytest.fixture
def editor(tmp_path, monkeypatch):
    """Names a stub as the editor; what it was given is read with `told`."""
    stub, told = tmp_path / "an editor.py", tmp_path / "told.json"
    stub.write_text(STUB)
    monkeypatch.setenv("TOLD", str(told))
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"{sys.executable} '{stub}' --wait")
    return lambda: json.loads(told.read_text())


def test_the_editor_gets_a_private_copy_that_is_gone_afterwards(made, cassette, editor):
    terminal = OnTerminal("inspect", str(cassette(*made.refund())))
    terminal.until(b"money back")
    terminal.type(b"o")
    terminal.until(b"EDITOR WAS HERE")
    terminal.until(b"opened in")
    terminal.type(b"q")
    assert terminal.end() == 0
    given = editor()
    assert given["words"] == ["--wait"]
    assert given["terminal"]
    assert stat.S_IMODE(given["mode"]) == 0o600
    assert stat.S_IMODE(given["folder"]) == 0o700
    assert "I want my money back" in given["text"]
    assert given["path"].endswith("messages.txt")
    assert not Path(given["path"]).exists()
    assert not Path(given["path"]).parent.exists()


def test_the_screen_comes_back_and_the_cassette_is_as_it_was(made, cassette, editor):
    path = cassette(*made.refund())
    before = path.read_bytes()
    terminal = OnTerminal("inspect", str(path))
    terminal.until(b"money back")
    terminal.type(b"5o")
    terminal.until(b"opened in")
    terminal.type(b"?")
    terminal.until(b"In a panel")
    terminal.type(b"qq")  # the keys, then the inspector
    terminal.end()
    assert path.read_bytes() == before
    assert editor()["path"].endswith("raw.txt")


@pytest.mark.parametrize(
    ("command", "said"), [("/no/such/editor", b"cannot be started"), ("vi 'unclosed", b"is no command")]
)
def test_an_editor_that_is_none_is_said_at_the_foot(made, cassette, monkeypatch, command, said):
    monkeypatch.setenv("VISUAL", command)
    terminal = OnTerminal("inspect", str(cassette(*made.refund())))
    terminal.until(b"money back")
    terminal.type(b"o")
    terminal.until(said)
    terminal.type(b"q")
    assert terminal.end() == 0
    assert b"Traceback" not in terminal.written


async def test_without_a_terminal_no_editor_is_opened(made, cassette, monkeypatch):
    from respool.cassettes.reader import Reader
    from respool.inspector.app import Inspector

    monkeypatch.setenv("VISUAL", os.devnull)
    with Reader.open(cassette(*made.refund())) as reader:
        app = Inspector(reader)
        async with app.run_test(size=(120, 30), notifications=True) as pilot:
            look = made.Looking(app, pilot)
            await look.reads("money back")
            await look.press("o")
            assert "from a terminal alone" in look.foot("told")
