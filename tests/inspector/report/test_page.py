"""The page as text: whole, inert, self-contained, equal for equal cassettes, and honest about what it leaves out."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from respool.cassettes.errors import UsageError
from respool.cassettes.exports import Lost
from respool.cassettes.reader import Reader
from respool.inspector.report import calls, export_html, page
from respool.inspector.report.assets import asset

EVIL = "</script><script>alert(1)</script><img src=//evil.example onerror=alert(1)>"


class Outline(HTMLParser):
    """Tags with their attributes, what stands in style and script, and all text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.inside, self.text = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.tags and self.tags[-1][0] in ("script", "style") and data.strip():
            self.inside.append((self.tags[-1], data))
        self.text.append(data)


def export(path, **options):
    with Reader.open(path) as reader:
        return "".join(export_html(reader, **options))


@pytest.fixture
def text(made, cassette):
    return export(cassette(*made.refund(), *made.thread("thread_b", EVIL), *made.assistants()))


def test_the_conversation_is_there_without_a_script(text):
    shown = "".join(Outline(text.partition("<main")[2].partition("<aside")[0]).text)
    for said in ("I want my money back", "It has shipped.", "lookup_order", '{"id": 118}', "shipped", "2,310 tokens"):
        assert said in shown


def test_the_policy_names_the_style_and_the_script_by_their_hashes_and_nothing_else(text):
    outline = Outline(text)
    (policy,) = [
        attrs["content"] for tag, attrs in outline.tags if attrs.get("http-equiv") == "Content-Security-Policy"
    ]
    hashes = {}
    for (tag, attrs), content in outline.inside:
        if attrs.get("type") != "application/json":
            hashes[tag] = f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
    assert policy == (
        f"default-src 'none'; style-src {hashes['style']}; script-src {hashes['script']}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def test_no_element_has_a_handler_a_style_or_an_address_outside_the_page(text):
    for tag, attrs in Outline(text).tags:
        for name, value in attrs.items():
            assert not name.startswith("on"), (tag, name)
            assert name != "style"
            assert name not in ("src", "srcset", "action", "formaction", "data", "poster", "background")
            assert name not in ("href", "xlink:href") or value.startswith("#"), value


def test_the_files_of_the_page_name_no_address_and_make_no_html_of_a_string():
    for name in ("page.html", "report.css", "report.js", "symbols.svg"):
        text = asset(name)
        assert "://" not in text
        assert "@import" not in text
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|Function\(", text)
        assert not re.search(r"\bfetch\b|XMLHttpRequest|WebSocket|sendBeacon|\bimport\b", text)


def test_foreign_text_is_no_element_anywhere(text):
    tags = [tag for tag, _ in Outline(text).tags]
    assert "img" not in tags
    assert tags.count("script") == 4  # three of data, and the page's own
    assert EVIL in "".join(Outline(text).text)


def test_data_is_json_that_holds_the_bytes_of_each_exchange(text, made):
    data = {}
    for (_, attrs), content in Outline(text).inside:
        if attrs.get("type") == "application/json":
            data |= json.loads(content)
    assert len(data) == len(made.refund()) + 2 + 1
    submit = next(one for one in data.values() if one["request"].endswith("submit_tool_outputs"))
    assert json.loads(submit["asked"]["text"])["tool_outputs"][0]["output"] == '{"state": "shipped"}'


def test_the_same_cassette_gives_the_same_bytes(made, cassette):
    path = cassette(*made.refund())
    assert export(path) == export(path)


def test_one_thread_alone_can_be_had_and_an_unknown_one_is_said(made, cassette):
    path = cassette(*made.refund(), *made.thread("thread_b", "other talk"))
    assert "other talk" not in export(path, thread="thread_a")
    with pytest.raises(UsageError, match="no thread thread_c"):
        export(path, thread="thread_c")


def test_polls_that_tell_nothing_new_are_one_row(made, cassette):
    poll = made.call("GET /threads/thread_a/runs/run_1", None, made.run("run_1", "queued"))
    text = export(cassette(*made.thread("thread_a", "x"), *[poll] * 40))
    assert "40 × getRun, equal answers" in text
    assert text.count('data-call="1-') == 42
    assert text.count('"same":') == 0  # short bodies are cheaper than a name


def test_a_large_body_is_cut_where_it_is_seen_and_a_repeated_one_stands_once(made, cassette, monkeypatch):
    monkeypatch.setattr(calls, "MOST_BODY", 1_000)
    large = made.call("GET /threads/thread_a", None, {"id": "thread_a", "x": "y" * 50_000})
    mid = made.call("GET /threads/thread_a/messages", None, {"data": [], "x": "needle" * 100})
    lost = Lost()
    text = export(cassette(*made.thread("thread_a"), large, mid, mid), lost=lost)
    assert text.count("needle" * 100) == 1
    assert text.count('"same":"1-2 answer"') == 1
    assert '"cut":"49 kB"' in text
    assert lost["bodies shortened"] == 1


def test_a_page_that_is_full_says_what_is_not_in_it(made, cassette, monkeypatch):
    monkeypatch.setattr(page, "MOST_THREADS", 2)
    lost = Lost()
    said = []
    path = cassette(*(one for name in "abcde" for one in made.thread(f"thread_{name}", "hello")))
    text = export(path, lost=lost, progress=lambda done, total: said.append((done, total)))
    assert "Not in this page: 3 threads" in text
    assert lost["threads beyond the first; --thread ID takes one"] == 3
    assert said == [(1, 2), (2, 2)]


def test_rooms_without_space_leave_sizes(made, cassette, monkeypatch):
    full = page.Totals(room=calls.Room(raw=0, calls=2))
    monkeypatch.setattr(page, "Totals", lambda: full)
    lost = Lost()
    text = export(cassette(*made.thread("thread_a", "one", "two")), lost=lost)
    assert lost["exchanges that found no room; --thread ID makes some"] == 1
    assert lost["bodies that found no room; --thread ID makes some"] > 0
    assert "Not in this page: 1 exchange" in text


def test_failures_are_listed_with_a_way_to_each(made, cassette):
    bad = made.call("GET /threads/thread_a/messages/msg_x", None, {"error": {"message": "No such message"}}, status=404)
    miss = made.call(
        "POST /threads/thread_a/runs", {}, {"error": {"message": "No recording answers createRun"}}, status=502
    )
    slow = made.run("run_1", "failed", last_error={"code": "rate", "message": "slow"})
    failed = made.call("GET /threads/thread_a/runs/run_1", None, slow)
    text = export(cassette(*made.thread("thread_a", "x"), bad, miss, failed))
    assert "3 problems" in text
    for what in ("error 404: No such message", "miss 502: No recording answers", "run failed: rate: slow"):
        anchor = re.search(rf'<a href="#([^"]+)">{re.escape(what)}', text)
        assert anchor, what
        assert f'id="{anchor[1]}"' in text


def test_a_recording_without_failures_says_so(made, cassette):
    assert "Nothing failed" in export(cassette(*made.refund()))


def test_each_thread_and_its_columns_are_landmarks_with_names(text):
    tags = Outline(text).tags
    ids = {attrs["id"] for _, attrs in tags if "id" in attrs}
    assert {"nav", "main", "search"} <= {tag for tag, _ in tags}
    for tag, attrs in tags:
        if tag in ("nav", "aside", "figure") or attrs.get("role") == "img":
            assert attrs.get("aria-label"), (tag, attrs)
        if tag == "section" and attrs.get("class") == "thread":
            assert attrs["aria-labelledby"] in ids
    assert len(ids) == len([attrs for _, attrs in tags if "id" in attrs])
