"""Reports of progress: on a terminal alone, on stderr, and never in the way of what is data or of what is said."""

import os
import pty
from pathlib import Path

import pytest
from nursery import Command
from respool.cassettes.writer import Writer

PATIENCE = 30.0
FORMS = ("har", "jsonl", "curl", "python", "pytest", "markdown")
KEY = "sk-proj-" + "abcdefghij0123456789ABCDEFGHIJ"


def on_terminal(folder: Path, *words: str, stdout: int | None = None) -> tuple[str, str, int]:
    """What a command writes to stdout, what to a terminal that is its stderr (and with stdout -1 that, too), its status."""
    ours, theirs = pty.openpty()
    out = theirs if stdout == -1 else stdout
    process = Command(words, cwd=folder, environment=os.environ, stderr=theirs, stdout=out)
    os.close(theirs)
    told = b""
    try:
        while piece := os.read(ours, 65536):
            told += piece
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    said = process.stdout.read() if process.stdout is not None else ""
    status = process.wait(PATIENCE)
    if process.stdout is not None:
        process.stdout.close()
    return said, told.decode().replace("\r\n", "\n"), status


@pytest.mark.parametrize("form", FORMS)
def test_an_export_into_a_file_tells_how_far_it_is(respool, cassette, form):
    said, told, status = on_terminal(cassette.parent, "export", f"--{form}", cassette.name, "out")
    assert (said, status) == ("", 0)
    assert "\rexporting 6 of 6 calls\n" in told
    plain = respool("export", f"--{form}", cassette.name, "again")
    assert "exporting" not in plain.stderr
    assert (cassette.parent / "again").read_bytes() == (cassette.parent / "out").read_bytes()


def test_an_export_to_a_terminal_is_its_own_progress(respool, cassette):
    _, told, status = on_terminal(cassette.parent, "export", "--markdown", cassette.name, stdout=-1)
    assert status == 0
    assert told.startswith("# Cassette")
    assert "exporting" not in told


def test_a_scan_of_a_folder_tells_of_its_files_and_findings_stand_on_lines_of_their_own(respool, cassette):
    for name in ("a.txt", "c.txt", "d.txt"):
        (cassette.parent / name).write_text(KEY)
    cut = Writer.create(cassette.parent / "b.cassette")
    cut.abandon()
    _, told, status = on_terminal(cassette.parent, "scan", ".", stdout=-1)
    assert status == 1
    assert "\rscanning 5 of 5 files\n" in told
    lines = [line.rsplit("\r", 1)[-1] for line in told.split("\n")]
    assert [line for line in lines if line.endswith("openai-key")] == [
        f"{name}: line 1: openai-key" for name in ("a.txt", "c.txt", "d.txt")
    ]
    assert any(line.startswith("respool: b.cassette.partial") for line in lines)
    assert lines[-2].startswith("respool: 3 places in 5 files")
    plain = respool("scan", ".")
    assert "\r" not in plain.stdout + plain.stderr


def test_a_scan_of_one_cassette_tells_of_its_calls(cassette):
    said, told, status = on_terminal(cassette.parent, "scan", cassette.name)
    assert (said, status) == ("", 0)
    assert "\rscanning 6 of 6 calls\n" in told


def test_a_scan_that_breaks_off_says_so_on_a_line_of_its_own(cassette):
    (cassette.parent / "a.txt").write_text("nothing")
    (cassette.parent / "b.cassette").write_bytes(cassette.read_bytes()[:20])
    _, told, status = on_terminal(cassette.parent, "scan", "a.txt", "b.cassette")
    assert status == 3
    assert told.split("respool: ", 1)[0].endswith(" \r")
