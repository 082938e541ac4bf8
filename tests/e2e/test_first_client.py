"""The last `openai` package of the API's first version, unmodified, in a process and a folder of its own.

It cannot be installed beside the newest one; `make test` puts it into `.clients/openai-1`.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PACKAGES = HERE.parents[1] / ".clients" / "openai-1"
WANTED = next(line for line in (HERE / "openai-1.txt").read_text().splitlines() if line.startswith("openai=="))


async def see(base_url: str) -> dict[str, Any]:
    """Run the program in another Python; what it saw."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", HERE / "first_client.py", PACKAGES, base_url,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(60):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode()
    return json.loads(out)


async def test_a_program_of_the_first_version_sees_the_same_with_the_sandbox_gone(stage, tmp_path: Path):
    if not (PACKAGES / "openai").is_dir():
        pytest.fail(f"{WANTED} is not in .clients/openai-1: run `make test`, which installs it there", pytrace=False)
    path = tmp_path / "first.cassette"
    async with stage.record(path, speed=20) as recording:
        live = await see(recording.url + "/v1")
        assert (
            recording.sandbox.calls
            == recording.recorder.calls
            == len(stage.kept(path.with_suffix(".cassette.partial")))
        )
        assert recording.said == []
    assert f"openai=={live['version']}" == WANTED
    assert {call.operation for call in stage.kept(path)} >= set(range(1, 20)), "the first version has 19 operations"
    seen = {label: value for label, value, *_ in live["sync"]}
    assert [file["object"] for file in seen["message files"]] == ["thread.message.file"]
    assert seen["question"]["file_ids"] == [seen["upload"]["id"]]
    async with stage.replay(path) as replay:
        again = await see(replay.url + "/v1")
        assert replay.said == []
        assert (replay.replayer.misses, replay.replayer.inexact) == (0, 0)
    assert again["sync"] == live["sync"]
    assert again["async"] == live["async"]
    assert max(live["waits"]) > 0.001
    assert max(again["waits"]) <= 0.005, "a replay tells the SDK not to wait; the program's own wait is 5 ms"
