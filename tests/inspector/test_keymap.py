import os

import pytest
from nursery import run
from on_terminal import PATIENCE, OnTerminal
from respool.cassettes.errors import UsageError
from respool.cassettes.reader import Reader
from respool.cassettes.settings import settings_for
from respool.inspector.app import Inspector
from respool.inspector.help import help_lines
from respool.inspector.keymap import checked, keymap_for


def test_a_project_gives_keys_others(tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        '[tool.respool.keys]\n"everywhere.copy" = "c"\n"everywhere.help" = "?,f1"\n'
    )
    cassette = tmp_path / "a.cassette"
    assert keymap_for(cassette, tmp_path) == {"everywhere.copy": "c", "everywhere.help": "question_mark,f1"}
    assert not settings_for(cassette, folder=tmp_path).found, "the table is none of the rules"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"everywhere.cpoy": "c"}, "there is no key named everywhere.cpoy"),
        ({"everywhere.copy": ""}, "is given no keys"),
        ({"everywhere.copy": 7}, "is given no keys"),
        ({"everywhere.copy": "x"}, "x would mean both"),
        ({"list.up": "q"}, "q would mean both"),
        ({"prompt.leave": "x"}, "x is typed into a prompt"),
        ({"prompt.leave": "f9,?"}, r"\? is typed into a prompt"),
        ({"prompt.complete": "enter"}, "Enter would mean both prompt.take and prompt.complete"),
        ({"menu.leave": "c"}, "c chooses in a menu"),
        ({"menu.leave": "enter"}, "Enter chooses in a menu"),
        ("x", "is no table"),
    ],
)
def test_what_makes_no_sense_is_refused(table, said):
    with pytest.raises(UsageError, match=said):
        checked(table, "here")


def project(folder, *lines):
    (folder / "pyproject.toml").write_text("\n".join(["[tool.respool.keys]", *lines]) + "\n")


async def test_keys_that_change_places_do_each_what_the_other_did(made, cassette, tmp_path):
    project(
        tmp_path, '"list.up" = "down,j"', '"list.down" = "up,k"', '"everywhere.filter" = "f"', '"everywhere.find" = "/"'
    )
    path = cassette(*made.thread("thread_a", "One"), *made.thread("thread_b", "Two"))
    with Reader.open(path) as reader:
        app = Inspector(reader, keymap_for(path, tmp_path))
        async with app.run_test(size=(100, 30), notifications=True) as pilot:
            look = made.Looking(app, pilot)
            await look.reads("One")
            await look.press("k")
            assert app.query_one("#list").cursor == 1
            await look.press("j", "slash")
            assert (app.query_one("#list").cursor, app.query_one("#prompt").purpose) == (0, "find")
            await look.press("escape", "f")
            assert app.query_one("#prompt").purpose == "filter"
            await look.press("escape", "question_mark")
            shown = "\n".join(help_lines(("list", "everywhere"), app.keys))
            assert "Up, k" in shown
            assert "Down, j" in shown


WRONG = {
    "everywhere.copy = 'c'": [
        "there is no key named everywhere",
        'put names in quotation marks: "everywhere.copy" = …',
    ],
    "'everywhere.cpoy' = 'c'": ["there is no key named everywhere.cpoy", "did you mean everywhere.copy?"],
    "'everywhere.copy' = 'x'": ["x would mean both everywhere.copy and everywhere.export"],
    "'list.down' = 'q'": ["q would mean both list.down and everywhere.quit"],
    "'live.pause' = 'm'": ["m would mean both everywhere.mark and live.pause"],
    "'everywhere.copy' = 'no key at all'": [
        "`everywhere.copy` is given no keys",
        'write one or several, such as "ctrl+d,x"',
    ],
    '"\\u001b[2J\\u202e" = "x"': ["there is no key named \\x1b[2J\\u{202e}", "docs/inspector.md names all of them"],
}


@pytest.mark.parametrize("line", WRONG)
def test_a_keymap_that_makes_no_sense_is_one_clear_line_before_the_screen_is_taken(made, cassette, tmp_path, line):
    project(tmp_path, line)
    terminal = OnTerminal("inspect", str(cassette(*made.refund())), size=(400, 24))
    assert terminal.end() == 2
    first, *hint = terminal.written.decode().splitlines()
    assert first == f"respool: [tool.respool] in {tmp_path / 'pyproject.toml'}: {WRONG[line][0]}"
    assert [each.strip() for each in hint] == WRONG[line][1:]


def test_it_is_told_before_a_page_is_offered(made, cassette, tmp_path):
    pytest.importorskip("textual_serve")
    project(tmp_path, '"everywhere.copy" = "x"')
    done = run(["inspect", "--web", str(cassette(*made.refund()))], timeout=PATIENCE, environment=os.environ)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "x would mean both everywhere.copy and everywhere.export" in done.stderr


async def test_one_that_names_a_key_which_the_inspector_does_not_have_breaks_nothing(made, cassette):
    with Reader.open(cassette(*made.thread("thread_a", "One"), *made.thread("thread_b", "Two"))) as reader:
        app = Inspector(reader, {"everywhere.unknown": "j", "list.down": "q"})
        async with app.run_test(size=(100, 30), notifications=True) as pilot:
            look = made.Looking(app, pilot)
            await look.reads("One")
            await look.press("q")
            assert app.query_one("#list").cursor == 1
        assert app._exception is None
