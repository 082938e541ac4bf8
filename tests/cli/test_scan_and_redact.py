"""`respool scan` and `respool redact` as a user runs them: places and rules on stdout, exit statuses, and never the secret."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from respool.cassettes.interaction import Body, Interaction, Request, Response
from respool.cassettes.summaries import summarise
from respool.cassettes.writer import Writer

KEY = "sk-proj-" + "abcdefghij0123456789ABCDEFGHIJ"


def test_scan_finds_what_was_left_in_a_file_and_does_not_repeat_it(respool, cassette):
    folder = respool.folder / "exports"
    folder.mkdir()
    (folder / "talk.sh").write_text(f"#!/bin/sh\ncurl -H 'Authorization: Bearer {KEY}' http://127.0.0.1\n")
    (folder / ".hidden").write_text(KEY)
    done = respool.inside("scan", cassette, "exports")
    assert done.returncode == 1
    assert done.stdout.startswith("exports/talk.sh: line 2: ")
    assert "respool: 1 place in 2 files" in done.stderr
    assert KEY not in done.stdout + done.stderr
    assert ".hidden" not in done.stdout


def test_a_recording_of_respools_own_holds_nothing_to_find(respool, cassette):
    done = respool.inside("scan", cassette)
    assert (done.returncode, done.stdout) == (0, "")
    assert respool.inside("scan", "none.cassette").returncode == 3
    assert respool.inside("scan", cassette, "--redact", "nonsense").returncode == 2


def test_an_export_of_a_recording_holds_nothing_to_find(respool):
    lines = (
        (b"Authorization", b"Bearer REDACTED"),
        (b"Proxy-Authorization", b"Basic REDACTED"),
        (b"Cookie", b"a=REDACTED; b=REDACTED"),
        (b"api-key", b"REDACTED"),
    )
    request = Request(
        "POST", b"/v1/threads?api-key=REDACTED", lines, Body.of(b'{"token": "rsp_secret_abcdefghijklmnop"}')
    )
    answer = Response(200, b"OK", ((b"Set-Cookie", b"a=REDACTED; Path=/"),), Body.of(b'{"id": "thread_abcdef"}'))
    with Writer.create(respool.folder / "a.cassette") as writer:
        call = Interaction(0, 5, request, answer, scope="thread_abcdef")
        writer.append(call, summarise(call))
    (respool.folder / "exports").mkdir()
    for form in ("har", "jsonl", "html", "curl", "python", "pytest", "markdown"):
        assert respool.inside("export", f"--{form}", "a.cassette", f"exports/a.{form}").returncode == 0
    done = respool.inside("scan", "a.cassette", "exports")
    assert (done.returncode, done.stdout) == (0, "")
    har = (respool.folder / "exports" / "a.har").read_text()
    (respool.folder / "exports" / "a.har").write_text(har.replace("Bearer REDACTED", "Bearer hunter2-and-more"))
    assert respool.inside("scan", "exports").stdout.startswith("exports/a.har: line ")


def test_a_redacted_cassette_lacks_what_a_rule_names_and_replays_to_the_same_calls(respool, cassette):
    done = respool.inside("redact", cassette, "-o", "clean.cassette", "--redact", "name:customer")
    assert (done.returncode, done.stdout) == (0, "")
    assert "of them held something that was taken out" in done.stderr
    shown = respool.inside("show", "clean.cassette").stdout
    assert "118" in respool.inside("show", cassette).stdout
    assert '"customer": "118"' not in shown
    with respool.serving("replay", "clean.cassette") as server:
        assert server.call("POST", "/threads", {"metadata": {"customer": "118"}})[0] == 200
        assert server.end() == 0
    assert respool.inside("redact", cassette, "-o", "clean.cassette").returncode == 3
    assert respool.inside("redact", cassette, "-o", cassette, "--overwrite").returncode == 2


def test_scan_does_not_repeat_a_key_that_is_the_name_of_a_file(respool):
    (respool.folder / f"{KEY}.txt").write_text("nothing")
    done = respool.inside("scan", ".")
    assert done.returncode == 1
    assert done.stdout == "REDACTED.txt: the name: openai-key\n"


def test_a_folder_that_cannot_be_read_is_an_error_and_not_passed_over(respool, monkeypatch):
    (respool.folder / "exports").mkdir()
    walk = os.scandir

    def refused(path):
        if str(path).endswith("exports"):
            raise PermissionError(13, "Permission denied", str(path))
        return walk(path)

    monkeypatch.setattr(os, "scandir", refused)
    done = respool.inside("scan", ".")
    assert done.returncode == 3
    assert "exports cannot be read: Permission denied" in done.stderr


def test_the_hook_of_the_docs_looks_at_what_is_committed(respool, cassette, tmp_path):
    """Not at the file as it lies there: what was staged may differ from it."""
    repository = tmp_path / "repository"
    hook = repository / ".git" / "hooks" / "pre-commit"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}

    def git(*arguments: str) -> subprocess.CompletedProcess[str]:
        settings = ("-c", "user.name=a", "-c", "user.email=a@b.example")
        return subprocess.run(
            ["git", *settings, *arguments], cwd=repository, env=environment, capture_output=True, text=True, check=False
        )

    repository.mkdir()
    git("init", "-q")
    page = (Path(__file__).parents[2] / "docs" / "secrets.md").read_text("utf-8")
    hook.write_text(page.partition("```sh\n")[2].partition("```")[0])
    hook.chmod(0o700)
    dirty, clean = (repository / "tests" / ".cassettes" / name for name in ("-dirty.cassette", "clean.cassette"))
    dirty.parent.mkdir(parents=True)
    shutil.copy(respool.folder / cassette, clean)
    git("add", ".")
    assert git("commit", "-m", "clean").returncode == 0
    call = Interaction(0, 5, Request("POST", b"/v1/threads", (), Body.of(KEY.encode())), Response(200))
    with Writer.create(dirty) as writer:
        writer.append(call, summarise(call))
    git("add", ".")
    shutil.copy(clean, dirty)
    refused = git("commit", "-m", "dirty")
    assert refused.returncode != 0
    assert "dirty.cassette: call 0, the request's body, byte 0: openai-key" in refused.stdout + refused.stderr
    git("add", ".")
    assert git("commit", "-m", "mended").returncode == 0
