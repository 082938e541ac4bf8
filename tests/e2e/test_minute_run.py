"""`create_and_poll` of a run that took a minute replays at once, with the unmodified SDK, sync and async."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from openai._resource import AsyncAPIResource, SyncAPIResource
from respool.benchmarks.minute import POLL_AFTER, POLLS, SECONDS, STATES, play, play_async, write_minute
from respool.cassettes.reader import Reader

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits that the SDK's poll helper asks for, in seconds. They take no time."""
    waited: list[float] = []

    async def asynchronous(self: Any, seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(SyncAPIResource, "_sleep", lambda self, seconds: waited.append(seconds))
    monkeypatch.setattr(AsyncAPIResource, "_sleep", asynchronous)
    return waited


async def create_and_poll(kind: str, base_url: str) -> float:
    return await (play_async(base_url) if kind == "async" else asyncio.to_thread(play, base_url))


@pytest.fixture
def minute(tmp_path: Path) -> Path:
    path = tmp_path / "minute.cassette"
    write_minute(path)
    with Reader.open(path) as reader:
        began = [reader.interaction(row).started_us for row in reader.rows()]
    assert (began[-1] - began[0]) / 1e6 == SECONDS
    return path


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_a_minute_of_polls_replays_in_a_call_a_state_and_no_wait(stage, minute: Path, waits, kind: str):
    async with stage.replay(minute) as replay:
        await create_and_poll(kind, replay.url + "/v1")
        assert replay.replayer.calls == 1 + STATES
        assert replay.said == []
    assert waits == [0] * (STATES - 1)


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_the_same_client_waits_a_minute_where_polls_are_as_recorded(stage, minute: Path, waits, kind: str):
    async with stage.replay(minute, polls="recorded") as replay:
        await create_and_poll(kind, replay.url + "/v1")
        assert replay.replayer.calls == 1 + POLLS
    assert waits == [POLL_AFTER] * (POLLS - 1)


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_an_unmodified_sdk_plays_a_minute_in_less_than_a_fifth_of_a_second(stage, minute: Path, kind: str):
    """It takes some 15 ms. The best of five counts, so that a busy machine has to be so five times in a row."""
    async with stage.replay(minute) as replay:
        took = min([await create_and_poll(kind, f"{replay.url}/@{number}/v1") for number in range(5)])
    print(f"{kind}: a run of {SECONDS} s replayed in {took * 1000:.1f} ms")
    assert took < 0.2
