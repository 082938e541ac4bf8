"""The mouse: rows, folds and panels, at three sizes."""

import pytest

SIZES = [(80, 24), (120, 40), (200, 60)]


@pytest.mark.parametrize("size", SIZES)
async def test_a_click_chooses_a_row_and_a_second_one_opens_and_closes_it(made, cassette, looking, size):
    calls = [*made.thread("thread_a", "One"), *made.refund("thread_b"), *made.thread("thread_c", "Three")]
    async with looking(cassette(*calls), size=size) as look:
        await look.reads("One")
        await look.pilot.click("#list", offset=(6, 2))
        await look.reads("money back")
        assert look.app.query_one("#list").cursor == 1
        assert "createThread" not in look.list
        await look.pilot.click("#list", offset=(6, 2))
        await look.lists("createThread")
        await look.pilot.click("#list", offset=(6, 2))
        await look.until(lambda: "createThread" not in look.list)


@pytest.mark.parametrize("size", SIZES)
async def test_a_click_below_the_last_row_and_on_the_frame_does_nothing(made, cassette, looking, size):
    async with looking(cassette(*made.thread("thread_a", "One"), *made.thread("thread_b", "Two")), size=size) as look:
        await look.reads("One")
        for place in ((6, size[1] - 5), (6, 0), (0, 1)):
            await look.pilot.click("#list", offset=place)
        assert look.app.query_one("#list").cursor == 0
        assert "createThread" not in look.list


@pytest.mark.parametrize("size", SIZES)
async def test_a_click_gives_the_focus_to_its_pane(made, cassette, looking, size):
    async with looking(cassette(*made.refund()), size=size) as look:
        await look.reads("money back")
        for name in ("conversation", "waterfall", "list"):
            await look.pilot.click(f"#{name}", offset=(3, 2))
            assert look.app.focused.id == name
