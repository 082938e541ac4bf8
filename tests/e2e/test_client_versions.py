"""Recorded with one version of the `openai` package, replayed by every other: what a program sees is the same.

The last 1.x, the last 2.x and the one that the tests are installed with, each unmodified and in a process of its own.
`make test` puts the older ones into `.clients`.
"""

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import openai
import pytest

HERE = Path(__file__).parent
CLIENTS = HERE.parents[1] / ".clients"
PACKAGES = {
    "1": CLIENTS / "openai-1-last",
    "2": CLIENTS / "openai-2",
    openai.__version__.split(".")[0]: Path(openai.__file__).parents[1],
}
KINDS = ("sync", "async")


async def see(version: str, *base_urls: str) -> list[dict[str, Any]]:
    """Run the program with a version of the package, once for each URL; what it saw."""
    if not (PACKAGES[version] / "openai").is_dir():
        pytest.fail(f"openai {version}.x is not in .clients: run `make test`, which installs it there", pytrace=False)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", HERE / "second_client.py", PACKAGES[version], *base_urls,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(90):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode()
    seen = [json.loads(line) for line in out.splitlines()]
    assert [one["version"].split(".")[0] for one in seen] == [version] * len(base_urls)
    return seen


def test_there_are_three_versions():
    assert set(PACKAGES) == {"1", "2", "3"}


async def test_what_one_version_recorded_all_see_alike(stage, tmp_path: Path):
    live = {}
    for version in PACKAGES:
        path = tmp_path / f"{version}.cassette"
        async with stage.record(path, speed=20) as recording:
            (live[version],) = await see(version, recording.url + "/v1")
            assert recording.said == []
        kept = stage.kept(path)
        assert {call.status for call in kept} == {200, 404, 429}
        assert sum(call.body.startswith(b"event: ") for call in kept) == len(KINDS) * 3
    async with AsyncExitStack() as stack:
        replays = [await stack.enter_async_context(stage.replay(tmp_path / f"{version}.cassette")) for version in live]
        # At once, each version in a session of its own.
        seen = await asyncio.gather(
            *(see(version, *(f"{replay.url}/@with-{version}/v1" for replay in replays)) for version in PACKAGES)
        )
        for replay in replays:
            assert replay.said == []
            assert (replay.replayer.misses, replay.replayer.inexact) == (0, 0)
    for version, replayed in zip(PACKAGES, seen, strict=True):
        for recorded_by, again in zip(live, replayed, strict=True):
            for kind in KINDS:
                told = f"{kind}, recorded with {recorded_by}.x and replayed with {version}.x"
                assert again[kind] == live[recorded_by][kind], told
