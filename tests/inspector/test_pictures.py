"""Pictures of the inspector, as a terminal shows it, beside those that were looked at and kept in `pictures/`.

A change that is meant: `RESPOOL_PICTURES=write .venv/bin/pytest tests/inspector/test_pictures.py`, and look at what git shows.
"""

import os
import re
from pathlib import Path

import pytest
from respool.cassettes.reader import Reader
from respool.inspector.app import Inspector

KEPT = Path(__file__).parent / "pictures"
SMALL, MIDDLE, LARGE = (80, 24), (120, 40), (200, 60)
PICTURES = {
    # name: size, and the keys that lead there; "" waits for what is read
    "list-small": (SMALL, ["enter"]),
    "run-middle": (MIDDLE, ["enter", "down", "down", "down", "enter", "down", "m"]),
    "run-large": (LARGE, ["enter", "down", "down", "down", "enter"]),
    "tools-middle": (MIDDLE, ["enter", "down", "down", "down", "4"]),
    "raw-small": (SMALL, ["enter", "down", "down", "5"]),
    "raw-hex-middle": (MIDDLE, ["enter", "down", "down", "5", "v", "v"]),
    "diff-middle": (MIDDLE, ["m", "end", "up", "d"]),
    "filter-small": (SMALL, ["slash", *"status:"]),
    "secrets-middle": (MIDDLE, ["7"]),
    "help-small": (SMALL, ["question_mark"]),
    "copy-small": (SMALL, ["y"]),
}


def drawn(svg: str) -> str:
    """A picture without what is in it for each line and tells nothing, with one name for all: smaller, and looks the same."""
    svg = re.sub(r"<clipPath id=\"terminal-\d+-line-\d+\">.*?</clipPath>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r" clip-path=\"url\(#terminal-\d+-line-\d+\)\"", "", svg)
    svg = re.sub(r" shape-rendering=\"crispEdges\"", "", svg)
    return re.sub(r"terminal-\d+", "t", svg)


@pytest.mark.parametrize("name", PICTURES)
async def test_the_screen_is_as_it_was_looked_at(made, cassette, name, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    size, keys = PICTURES[name]
    failed = made.call(
        "POST /threads/thread_b/runs", {}, made.run("run_2", "failed", last_error={"message": "No credit"})
    )
    calls = [*made.refund("thread_a"), *made.thread("thread_b", "Hello there"), failed, *made.assistants()]
    with Reader.open(cassette(*calls)) as reader:
        app = Inspector(reader)
        async with app.run_test(size=size, notifications=True) as pilot:
            look = made.Looking(app, pilot)
            for key in ["", *keys]:
                await look.press(*([key] if key else []))
                await look.until(lambda: not app.desk.busy)
            await pilot.pause(0.1)
            svg = drawn(app.export_screenshot(title=name, simplify=True))
    path = KEPT / f"{name}.svg"
    if os.environ.get("RESPOOL_PICTURES") == "write":
        KEPT.mkdir(exist_ok=True)
        path.write_text(svg)
    assert svg == path.read_text(), f"{path.name} shows something else: look, then RESPOOL_PICTURES=write keeps it"


def test_every_picture_that_is_kept_is_one_of_these():
    assert {path.stem for path in KEPT.glob("*.svg")} == set(PICTURES)
