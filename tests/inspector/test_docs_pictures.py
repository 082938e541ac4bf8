"""The pictures in the docs show what the program shows now: they are made anew, and what a reader sees is compared.

Ids, numbers, times and the lengths of bars are another in each run of the demo, so these are left out. The exported page
is that of a recording that is kept, so of its picture the digest of the page is compared, and in a browser the picture.
"""

import base64
import importlib.util
import json
from pathlib import Path

import pytest
from browser import browser_path, browsing
from respool.inspector.report import assets
from respool.inspector.report import page as report_page
from seen import lasting, seen

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def generate():
    found = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("name", "maker"), [("inspector.svg", "screen"), ("demo.svg", "picture")])
def test_a_picture_in_the_docs_shows_what_there_is(generate, monkeypatch, name, maker):
    monkeypatch.delenv("NO_COLOR", raising=False)
    kept = lasting(seen((DOCS / name).read_text()))
    assert len(kept) > 20
    made = lasting(seen(getattr(generate, maker)()))
    assert made == kept, f"docs/{name} is stale: `python docs/generate.py --picture` takes it anew"


def test_the_picture_of_the_page_shows_the_page_that_there_is(generate):
    held = generate.digest_in(generate.PAGE.read_bytes())
    assert len(held) == 64
    told = "docs/report.png is stale: `python docs/generate.py --picture` takes it anew, with Chromium; then look at it"
    assert held == generate.digest(generate.page_text()), told


@pytest.mark.parametrize("name", ["report.css", "report.js", "symbols.svg", "page.html"])
def test_a_page_that_looks_otherwise_has_another_digest(generate, monkeypatch, name):
    before = generate.digest(generate.page_text())
    assert generate.digest(generate.page_text()) == before
    read = assets.asset
    monkeypatch.setattr(report_page, "asset", lambda one: read(one).replace("1", "2") if one == name else read(one))
    assert generate.digest(generate.page_text()) != before


@pytest.mark.skipif(browser_path() is None, reason="no Chromium: sh tests/e2e/system-packages.sh installs it")
async def test_the_picture_is_of_that_page(generate, tmp_path):
    """Fonts differ from machine to machine: each square of 20 by 20 is compared by its colour, and few may differ."""
    shown, empty = tmp_path / "demo.html", tmp_path / "empty.html"
    shown.write_text(generate.page_text(), encoding="utf-8")
    empty.write_text("<!doctype html>")
    async with browsing() as page:
        await page.look(*generate.PAGE_SIZE)
        await page.open(shown)
        made = await page.picture()
        await page.run("document.documentElement.dataset.theme = 'dark'")
        dark = await page.picture()
        await page.look(1000, 900)
        narrow = await page.picture()
        await page.open(empty)
        kept = generate.PAGE.read_bytes()
        compared = [await page.run(compare(kept, other)) for other in (made, dark, narrow)]
    assert compared[0] < 0.05, "docs/report.png shows another page than its digest says"
    assert min(compared[1:]) > 0.3, "what is compared tells nothing apart"


def compare(*pictures):
    """Of two pictures, the part of the squares that differ in colour."""
    sources = json.dumps(["data:image/png;base64," + base64.b64encode(one).decode() for one in pictures])
    return f"""(async () => {{
      const squares = [];
      for (const source of {sources}) {{
        const image = new Image();
        image.src = source;
        await image.decode();
        const canvas = Object.assign(document.createElement("canvas"), {{ width: 72, height: 45 }});
        const context = canvas.getContext("2d");
        context.imageSmoothingQuality = "high";
        context.drawImage(image, 0, 0, 72, 45);
        squares.push(context.getImageData(0, 0, 72, 45).data);
      }}
      const [one, other] = squares;
      let differ = 0;
      for (let at = 0; at < one.length; at += 4)
        differ += [0, 1, 2].some((channel) => Math.abs(one[at + channel] - other[at + channel]) > 24);
      return differ / (72 * 45);
    }})()"""


def svg(text, style="fill: #fff"):
    return f'.a-r1 {{ {style} }}<text class="a-r1" x="0" y="9" textLength="3" clip-path="url(#x)">{text}</text>'


def test_another_word_or_another_colour_is_seen_and_another_time_is_not():
    kept = lasting(seen(svg("run 1 took&#160;2.5 s thread_88ybM0QWxyz1 ██")))
    assert kept == [[("run # took # thread_ID", "fill:#fff")]]
    assert lasting(seen(svg("run 1 took 10 ms thread_t7fsMnLPU0HR ████ ░"))) == kept
    assert lasting(seen(svg("run 1 needs 2.5 s thread_88ybM0QWxyz1"))) != kept
    assert lasting(seen(svg("run 1 took 2.5 s thread_88ybM0QWxyz1", "fill: #f00"))) != kept
