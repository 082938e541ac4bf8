"""One task at a time, begun anew when there is more to do, and awaited by its owner."""

import asyncio

import pytest
from respool.proxy.errand import Errand


class Desk:
    """Work that is done a sheet at a time."""

    def __init__(self) -> None:
        self.sheets: list[str] = []
        self.done: list[str] = []
        self.running = 0
        self.most = 0
        self.errand = Errand(self.work)

    def put(self, sheet: str) -> None:
        self.sheets.append(sheet)
        self.errand.begin()

    async def work(self) -> None:
        self.running += 1
        self.most = max(self.most, self.running)
        while self.sheets:
            await asyncio.sleep(0)
            self.done.append(self.sheets.pop(0))
        self.running -= 1


async def test_all_that_was_asked_for_is_done_by_one_task_at_a_time() -> None:
    desk = Desk()
    for sheet in "abc":
        desk.put(sheet)
        await asyncio.sleep(0)
    await desk.errand.settle()
    assert (desk.done, desk.most) == (["a", "b", "c"], 1)


async def test_it_begins_again_after_it_was_over() -> None:
    desk = Desk()
    desk.put("a")
    await desk.errand.settle()
    desk.put("b")
    await desk.errand.settle()
    assert desk.done == ["a", "b"]


async def test_settling_what_never_began_returns_at_once() -> None:
    await Desk().errand.settle()


async def test_its_owner_hears_what_went_wrong() -> None:
    async def fail() -> None:
        raise OSError("the disk is gone")

    errand = Errand(fail)
    errand.begin()
    with pytest.raises(OSError, match="the disk is gone"):
        await errand.settle()
