"""The shell script hands curl exactly the recorded bytes, and a recording can make it do nothing else."""

import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from respool.cassettes.exports import FORMATS
from respool.cassettes.interaction import Body, Interaction, Request, Response

FAKE = """#!/bin/sh
printf '%s\\0' "$@" >> arguments
for argument; do case "$argument" in @-) cat >> input;; esac; done
"""


def request(body: bytes = b"", path: bytes = b"/threads", headers=((b"content-type", b"application/json"),)):
    asked = Request("POST", b"/v1" + path, headers, Body.of(body))
    return Interaction(0, 1, asked, Response(200, b"", (), Body.of(b"{}")))


def ran(reader, folder: Path) -> tuple[list[bytes], bytes]:
    """The arguments that curl got, and what it was sent."""
    script = folder / "talk.sh"
    script.write_text("".join(FORMATS["curl"](reader)), encoding="utf-8")
    assert subprocess.run(["sh", "-n", script], check=False).returncode == 0
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin" / "curl").write_text(FAKE)
    (folder / "bin" / "curl").chmod(0o700)
    environment = {"PATH": f"{folder / 'bin'}:/usr/bin:/bin", "OPENAI_API_KEY": "sk-mine"}
    before = {path.name for path in folder.iterdir()}
    done = subprocess.run(["sh", script], cwd=folder, env=environment, capture_output=True, check=False, timeout=30)
    assert (done.returncode, done.stderr) == (0, b"")
    assert {path.name for path in folder.iterdir()} - before <= {"arguments", "input"}
    sent = folder / "input"
    return (folder / "arguments").read_bytes().split(b"\0")[:-1], sent.read_bytes() if sent.exists() else b""


def body_sent(arguments: list[bytes], sent: bytes) -> bytes:
    return arguments[arguments.index(b"--data-raw") + 1] if b"--data-raw" in arguments else sent


@given(st.binary(min_size=1, max_size=60) | st.text(alphabet="'\"$`\\\n;&|!%@-{}a\t\r\0é", min_size=1).map(str.encode))
@example(b"@/etc/passwd")
@example(b"-x' $(touch made) `touch made`")
@example(b"%s\\n\\101\n\n")
@example(b"\x00\n'" * 5_000)
@example(b"9" + b"\x01" + b"7" * 70_000)
def test_any_body_arrives_byte_for_byte(made, tmp_path_factory, body):
    assert body_sent(*ran(made(request(body)), tmp_path_factory.mktemp("curl"))) == body


@pytest.mark.parametrize(
    "path", [b"/threads/'$(touch made)'", b'/a`touch made`?b="c"&d=[1-9]{x,y}', b"/threads/;x#y\n\xff"]
)
def test_a_target_is_one_argument_whatever_is_in_it(made, tmp_path, path):
    arguments, _ = ran(made(request(b"{}", path)), tmp_path)
    address = arguments[arguments.index(b"POST") + 1]
    assert address.startswith(b"https://api.example.com/v1/")
    assert b"\n" not in address
    assert b"#" not in address
    assert "-g" in [argument.decode() for argument in arguments]


def test_header_lines_that_curl_would_read_a_file_for_or_that_are_the_connections_are_left_out(made, tmp_path):
    headers = (
        (b"Host", b"x"), (b"@/etc/passwd", b"1"), (b"x-two", b"a\r\nb: c"), (b"Content-Length", b"9"),
        (b"Authorization", b"Bearer REDACTED"), (b"x-it's", b"it's $HOME"), (b"x-empty", b""),
    )  # fmt: skip
    arguments, _ = ran(made(request(b"{}", headers=headers)), tmp_path)
    given_lines = [after for flag, after in pairwise(arguments) if flag == b"-H"]
    assert given_lines == [b"Authorization: Bearer sk-mine", b"x-it's: it's $HOME", b"x-empty;", b"Content-Type:"]


def test_a_hostile_upstream_is_data_too(made, tmp_path):
    arguments, _ = ran(made(request(b"{}"), upstream="http://x}$(touch made)'\"/v1"), tmp_path)
    assert b"http://x}$(touch made)'\"/v1/threads" in arguments


@pytest.mark.skipif(shutil.which("dash") is None or shutil.which("bash") is None, reason="one shell only")
def test_both_shells_take_the_script(made, tmp_path):
    (tmp_path / "x.sh").write_text("".join(FORMATS["curl"](made(request(b"\x00'\xff%-")))))
    for shell in ("dash", "bash"):
        assert subprocess.run([shell, "-n", tmp_path / "x.sh"], check=False).returncode == 0
