"""The names that the package itself gives: each can be had, none loads a network or a screen, and the docs tell of them."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import respool
from recorded_calls import write_cassette
from respool.cassettes.misses import explain
from respool.cassettes.positions import Session
from respool.cassettes.reports import report_on
from respool.cassettes.tape import Tape

PAGE = (Path(__file__).parent.parent / "docs" / "python.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
NAMES = [name for name in respool.__all__ if name != "__version__"]


@pytest.mark.parametrize("name", [*NAMES, "Handle"])
def test_a_name_is_what_its_home_calls_so_and_stands_in_the_docs(name):
    assert getattr(respool, name) is getattr(import_module(f"respool.{respool._HOMES[name]}"), name)
    assert f"`{name}`" in PAGE
    assert name in dir(respool)


def test_the_table_of_homes_has_the_public_names_and_handle():
    assert set(respool._HOMES) == {*NAMES, "Handle"}


def test_an_unknown_name_is_an_error_that_names_it():
    with pytest.raises(AttributeError, match="'Raeder'"):
        respool.Raeder  # noqa: B018


def test_all_names_together_load_no_network_no_screen_and_no_pytest():
    code = "import sys\nfrom respool import *\nprint({'aiohttp', 'textual', 'uvloop', 'pytest'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == "set()\n"


def run(program: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30, cwd=folder
    )
    return done.stdout


def test_the_docs_program_lists_the_calls_of_a_cassette(tmp_path):
    write_cassette(tmp_path / "refund.cassette", [("GET", b"/v1/threads/thread_1", b"", b'{"id": "thread_1"}', 200)])
    (program,) = (text for text in PROGRAMS if "refund.cassette" in text)
    assert run(program, tmp_path) == "GET /v1/threads/thread_1 200\n"


def test_the_docs_program_meets_a_file_that_is_no_cassette(tmp_path):
    (tmp_path / "notes.txt").write_text("milk")
    (program,) = (text for text in PROGRAMS if "notes.txt" in text)
    assert "notes.txt" in run(program, tmp_path)


def test_the_docs_test_stops_at_its_first_miss(tmp_path):
    cassette = write_cassette(tmp_path / "refund.cassette", [("GET", b"/v1/threads/thread_1", b"", b"{}", 200)])
    (program,) = (text for text in PROGRAMS if "def test_refund" in text)
    parts: dict = {}
    exec(program.replace("    ...\n", "    session.serve(0)\n"), parts)
    with respool.Reader.open(cassette) as reader:
        session = Session(Tape(reader))
        misses = (explain(reader, session, respool.Request("GET", b"/v1/threads/thread_2")),)

        class Handle:
            base_url = "http://127.0.0.1:9/v1"
            report = staticmethod(lambda: report_on(session, misses))

        parts |= {"OpenAI": lambda base_url: None, "session": session}
        with pytest.raises(respool.MissError, match="thread_2"):
            parts["test_refund"](Handle())


def test_the_docs_test_passes_as_it_stands(tmp_path):
    call = ("GET", b"/v1/threads/thread_1", b"", b'{"id": "thread_1"}', 200)
    (tmp_path / "cassettes" / "test_refund").mkdir(parents=True)
    write_cassette(tmp_path / "cassettes" / "test_refund" / "test_refund.cassette", [call])
    (program,) = (text for text in PROGRAMS if "def test_refund" in text)
    (tmp_path / "test_refund.py").write_text(program)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "test_refund.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
