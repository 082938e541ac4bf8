"""Who reads the cassette, and in which order."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from respool.cassettes.errors import CassetteError
from respool.inspector import desk
from respool.inspector.desk import ASKED, OPEN, SCAN, SHOW, Desk, Job


@asynccontextmanager
async def running():
    it = Desk()
    task = asyncio.ensure_future(it.run())
    try:
        yield it
        while it.busy:
            await asyncio.sleep(0.001)
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def noting(log, name):
    return Job(SHOW, lambda: name, log.append, log.append)


async def test_of_rows_that_were_passed_over_none_is_read():
    read = []
    async with running() as it:
        for number in range(20):
            it.ask("show", Job(SHOW, lambda number=number: number, read.append, read.append))
            await asyncio.sleep(desk.CALM / 20)
    assert read[-1] == 19
    assert len(read) <= 3


async def test_the_most_urgent_job_comes_first(monkeypatch):
    monkeypatch.setattr(desk, "CALM", 0)
    done = []
    async with running() as it:
        for urgency in (SCAN, ASKED, SHOW, OPEN):
            it.ask(f"{urgency}", Job(urgency, lambda urgency=urgency: urgency, done.append, done.append))
    assert done == [SHOW, OPEN, ASKED, SCAN]


async def test_a_search_waits_for_nothing(monkeypatch):
    monkeypatch.setattr(desk, "CALM", 3600)
    done = []
    async with running() as it:
        it.ask("scan", Job(SCAN, lambda: "found", done.append, done.append))
    assert done == ["found"]


async def test_what_is_forgotten_meanwhile_is_not_done():
    done = []
    async with running() as it:
        it.ask("show", noting(done, "a"))
        await asyncio.sleep(0)
        it.forget("show")
    assert done == []


async def test_an_error_goes_to_who_asked_and_the_next_job_is_done():
    told = []

    def fail():
        raise CassetteError("damaged")

    async with running() as it:
        it.ask("a", Job(OPEN, fail, told.append, lambda error: told.append(error.message)))
        it.ask("b", Job(ASKED, lambda: "done", told.append, told.append))
    assert told == ["damaged", "done"]
