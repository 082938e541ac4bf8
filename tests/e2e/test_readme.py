"""The README's program, as it stands there, against a recording and against its replay."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

README = (Path(__file__).parents[2] / "README.md").read_text()


def served(*arguments: str, cwd: Path) -> tuple[subprocess.Popen, str]:
    server = subprocess.Popen(
        [sys.executable, "-m", "respool", *arguments, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
    )
    return server, server.stdout.readline().strip()


def run_program(url: str) -> str:
    programs = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (program,) = (text for text in programs if "http://127.0.0.1:8080/v1" in text)
    program = program.replace("http://127.0.0.1:8080/v1", url)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_readmes_program_says_the_same_with_the_upstream_gone(tmp_path):
    said = []
    for arguments in (
        ("record", "--upstream", "sandbox", "--cassette", "refund.cassette"),
        ("replay", "refund.cassette"),
    ):
        assert " ".join(("$ respool", *arguments)) in README
        server, url = served(*arguments, cwd=tmp_path)
        try:
            said.append(run_program(url))
        finally:
            server.send_signal(signal.SIGINT)
            _, stderr = server.communicate(timeout=30)
        assert server.returncode == 0, stderr
    assert said[0] == said[1]
    assert said[0].startswith("completed ")
