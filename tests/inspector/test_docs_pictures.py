"""The pictures in the docs show what the program shows now: they are made anew, and what a reader sees is compared.

Ids, numbers, times and the lengths of bars are another in each run of the demo, so these are left out.
"""

import importlib.util
from pathlib import Path

import pytest
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


def svg(text, style="fill: #fff"):
    return f'.a-r1 {{ {style} }}<text class="a-r1" x="0" y="9" textLength="3" clip-path="url(#x)">{text}</text>'


def test_another_word_or_another_colour_is_seen_and_another_time_is_not():
    kept = lasting(seen(svg("run 1 took&#160;2.5 s thread_88ybM0QWxyz1 ██")))
    assert kept == [[("run # took # thread_ID", "fill:#fff")]]
    assert lasting(seen(svg("run 1 took 10 ms thread_t7fsMnLPU0HR ████ ░"))) == kept
    assert lasting(seen(svg("run 1 needs 2.5 s thread_88ybM0QWxyz1"))) != kept
    assert lasting(seen(svg("run 1 took 2.5 s thread_88ybM0QWxyz1", "fill: #f00"))) != kept
