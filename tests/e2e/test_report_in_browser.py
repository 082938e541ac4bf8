"""The exported page in a real browser: nothing of a recording runs, nothing is loaded, and it does what its keys say.

`tests/e2e/system-packages.sh` installs the browser.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from browser import browser_path, browsing
from respool.cassettes.interaction import Body, End, Interaction, Request, Response
from respool.cassettes.reader import Reader
from respool.cassettes.scopes import scope_of
from respool.cassettes.summaries import summarise
from respool.cassettes.text import safe
from respool.cassettes.writer import Writer
from respool.inspector.report import export_html

pytestmark = pytest.mark.skipif(
    browser_path() is None, reason="no Chromium: sh tests/e2e/system-packages.sh installs it"
)

START = 1_700_000_000_000_000
JSON = ((b"content-type", b"application/json"),)

RUNS = 'document.title="pwned";window.pwned=1'
CORES = [
    f"<script>{RUNS}</script>",
    f"</script><script>{RUNS}</script>",
    f"</style><script>{RUNS}</script>",
    f"</title><script>{RUNS}</script>",
    f"</textarea></noscript><script>{RUNS}</script>",
    f"<!--><script>{RUNS}</script>-->",
    f"]]><script>{RUNS}</script>",
    f"<img src=x onerror='{RUNS}'>",
    f"<svg onload='{RUNS}'>",
    f"<svg><script>{RUNS}</script></svg>",
    f"<svg><animate onbegin='{RUNS}' attributeName=x dur=1s>",
    f"<body onload='{RUNS}'>",
    f"<details open ontoggle='{RUNS}'>",
    f"<iframe srcdoc='<script>parent.{RUNS}</script>'></iframe>",
    f"<iframe src='javascript:parent.{RUNS}'></iframe>",
    f"<a href='javascript:{RUNS}' autofocus onfocus='{RUNS}'>x</a>",
    f"<input autofocus onfocus='{RUNS}'>",
    f"<math><mtext></form><form><mglyph><style></math><img src onerror='{RUNS}'>",
    f"<template><script>{RUNS}</script></template>",
    f"<object data='data:text/html,<script>{RUNS}</script>'></object>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<link rel=stylesheet href=https://evil.example/a.css><base href=https://evil.example/>",
    "<style>@import 'https://evil.example/a.css';*{background:url(https://evil.example/b)}</style>",
    "<img src=https://evil.example/x.png><video src=//evil.example/v poster=//evil.example/p>",
    f"\u2028\u2029{RUNS}//<script>{RUNS}</script>",
]
BEFORE = ["", '">', "'>", "$threads${script}`${" + RUNS + "}`\\u003cscript>"]
PAYLOADS = [before + core for core in CORES for before in BEFORE]


def call(number, method, target, asked, answer, *, status=200, kind=JSON, end=End.COMPLETE, extra=()):
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    response = Response(status, b"OK", kind + extra, Body.of(body), marks=((len(body), 5_000),) if kind != JSON else ())
    request = Request(method, target, extra, Body.of(json.dumps(asked).encode()))
    whole = Interaction(number, START + number * 1_000, request, response, end, duration_us=9_000)
    return replace(whole, scope=scope_of(request, response))


def hostile_thread(number, evil):
    """A thread with the payload in each place where a server or a client can put a text."""
    name, at = f"thread_{number}", f"/v1/threads/thread_{number}".encode()
    text = {
        "type": "text",
        "text": {"value": evil, "annotations": [{"type": evil, "file_citation": {"file_id": evil, "quote": evil}}]},
    }
    message = {
        "id": "msg" + evil, "object": "thread.message", "role": evil, "status": evil,
        "content": [text, {"type": evil, "x": evil}],
        "attachments": [{"file_id": evil, "tools": [{"type": evil}]}], "metadata": {evil: evil},
    }  # fmt: skip
    tool = {"id": "call" + evil, "type": "function", "function": {"name": evil, "arguments": evil, "output": evil}}
    run = {
        "id": "run" + evil, "object": "thread.run", "status": evil, "model": evil, "last_error": {"code": evil, "message": evil},
        "metadata": {evil: evil}, "required_action": {"submit_tool_outputs": {"tool_calls": [tool]}},
    }  # fmt: skip
    step = {
        "id": "step" + evil, "object": "thread.run.step", "run_id": run["id"], "type": evil, "status": evil,
        "last_error": {"message": evil}, "step_details": {"type": "tool_calls", "tool_calls": [tool]},
    }  # fmt: skip
    header = ((b"x-evil", safe(evil).encode()),)
    query = evil.replace("\u2028", "").replace("\u2029", "").replace(" ", "+").encode()
    stream = f"event: {safe(evil)}\ndata: {json.dumps(message)}\n\n".encode()
    first = 10 * number
    return [
        call(
            first,
            "POST",
            b"/v1/threads",
            {"metadata": {evil: evil}},
            {"id": name, "metadata": {evil: evil}},
            extra=header,
        ),
        call(first + 1, "POST", at + b"/messages", message, message, extra=header),
        call(first + 2, "POST", at + b"/runs", {"instructions": evil}, run),
        call(first + 3, "GET", at + b"/runs/x/steps", None, {"data": [step]}),
        call(
            first + 4, "POST", at + b"/runs", {"stream": True}, stream, kind=((b"content-type", b"text/event-stream"),)
        ),
        call(first + 5, "GET", at + b"/messages/x?" + query, None, {"error": {"message": evil}}, status=404),
        call(first + 6, "POST", at + b"/messages", {}, evil.encode(), end=End.UPSTREAM_CUT),
        call(first + 7, "POST", at, {"metadata": {evil: evil}}, {"id": name, "metadata": {evil: evil}}),
        call(first + 8, "GET", b"/v1/" + query.replace(b"/", b"") + b"/x", None, {evil: evil}),
    ]


def export(tmp_path: Path, interactions, name="demo.cassette", meta=None) -> Path:
    path, out = tmp_path / name, tmp_path / "page.html"
    with Writer.create(path, meta=meta or {}) as writer:
        for each in interactions:
            writer.append(each, summarise(each))
    with Reader.open(path) as reader:
        out.write_text("".join(export_html(reader)), encoding="utf-8")
    return out


@pytest.mark.parametrize("scripts", [True, False])
async def test_a_hundred_attacks_in_every_text_run_nothing_and_load_nothing(tmp_path, scripts):
    assert len(PAYLOADS) == 100
    calls = [one for number, evil in enumerate(PAYLOADS) for one in hostile_thread(number, evil)]
    name = "<img src=x onerror=document.title=1>$style.cassette"
    out = export(tmp_path, calls, name, {"upstream": PAYLOADS[0], "notes": PAYLOADS})
    async with browsing() as page:
        await page.open(out, scripts=scripts)
        tags = await page.run("[...new Set([...document.querySelectorAll('*')].map(e => e.localName))].join(' ')")
        banned = {
            "img",
            "iframe",
            "object",
            "embed",
            "video",
            "audio",
            "link",
            "base",
            "form",
            "math",
            "animate",
            "template",
        }
        assert not banned & set(tags.split())
        shown = await page.run("document.querySelector('main').textContent")
        for evil in PAYLOADS:
            assert safe(evil) in shown
        if scripts:
            await page.run(WORK_THROUGH)
            assert await page.run("document.querySelectorAll('.raw').length") > 500
            assert await page.run("document.querySelector('#found').textContent") != ""
        assert await page.run("window.pwned === undefined && !document.title.includes('pwned')")
        assert await page.run("document.querySelectorAll('script:not([type])').length") == 1
        assert page.complaints == []
        assert page.requests == [out.as_uri()]


WORK_THROUGH = """(async () => {
  for (const link of document.querySelectorAll('#list a')) {
    link.click();
    document.querySelector('#unfold').click();
    await new Promise(done => setTimeout(done, 5));
    if (document.querySelector('#unfold').getAttribute('aria-pressed') === 'true') document.querySelector('#unfold').click();
  }
  for (const button of document.querySelectorAll('button')) button.click();
  const find = document.querySelector('#find');
  find.value = 'script';
  find.dispatchEvent(new Event('input'));
  await new Promise(done => setTimeout(done, 1500));
})()"""


def message(number, role, text):
    return {
        "id": f"msg_{number}",
        "object": "thread.message",
        "role": role,
        "content": [{"type": "text", "text": {"value": text}}],
    }


@pytest.fixture
def talks(tmp_path):
    def thread(name, number, text):
        at = f"/v1/threads/{name}".encode()
        run = {"id": f"run_{name}", "object": "thread.run", "status": "completed"}
        return [
            call(number, "POST", b"/v1/threads", {}, {"id": name}),
            call(number + 1, "POST", at + b"/messages", {"content": text}, message(number, "user", text)),
            call(number + 2, "POST", at + b"/runs", {"model": "secret-model"}, run | {"status": "queued"}),
            call(
                number + 3,
                "GET",
                at + b"/runs/run_" + name.encode(),
                None,
                run | {"instructions": "only-in-raw-" + name},
            ),
            call(number + 4, "GET", at + b"/messages/none", None, {"error": {"message": "gone"}}, status=404),
        ]

    calls = [*thread("thread_a", 0, "apples"), *thread("thread_b", 10, "pears"), *thread("thread_c", 20, "apple pie")]
    return export(tmp_path, calls)


CURRENT = "document.querySelector('.thread.current')?.id"


async def test_keys_walk_through_threads_entries_and_exchanges(talks):
    async with browsing() as page:
        await page.look(1600, 1000)
        await page.open(talks)
        assert await page.run(CURRENT) == "t1"
        await page.press("j")
        assert await page.run(CURRENT) == "t2"
        await page.press("ArrowDown", "k", "k")
        assert await page.run(CURRENT) == "t1"
        await page.press("l", "j")
        assert await page.run("document.activeElement.className") == "card run good"
        await page.press("ArrowRight", "j", "Enter")
        assert await page.run("document.activeElement.closest('.call').open")
        assert (
            await page.until("document.querySelector('.call[open] .raw pre')?.textContent")
            == '{\n  "content": "apples"\n}'
        )
        await page.press("?")
        assert await page.run("document.querySelector('#help').open")
        await page.press("Escape")
        assert not await page.run("document.querySelector('#help').open")
        await page.press("?", "?")
        assert not await page.run("document.querySelector('#help').open")
        assert page.complaints == []


async def test_the_search_finds_what_was_said_and_what_is_only_in_an_exchange(talks):
    async with browsing() as page:
        await page.open(talks)
        await page.press("/", *"apple")
        assert await page.until("document.querySelector('#found').textContent") == "2 of 3"
        await page.press("Escape", "/", *"only-in-raw-thread_b")
        assert await page.until("document.querySelector('#found').textContent") == "1 of 3"
        assert await page.run(CURRENT) == "t2"
        assert await page.run("document.querySelectorAll('.call.hit').length") == 1
        await page.press("Escape")
        assert await page.until("document.querySelectorAll('#list li:not([hidden])').length === 3")


async def test_a_link_to_an_exchange_opens_it(talks):
    async with browsing() as page:
        await page.open(talks, "#c2-12")
        assert await page.run(CURRENT) == "t2"
        assert "secret-model" in await page.run("document.querySelector('#c2-12 .raw').textContent")


async def test_the_id_of_a_message_opens_the_exchange_that_brought_it(talks):
    async with browsing() as page:
        await page.open(talks)
        await page.run("document.querySelector('#t1 .message .brought').focus()")
        await page.run("document.activeElement.click()")
        assert await page.run("document.querySelector('#c1-1').open")
        assert await page.run("document.activeElement.closest('.call')?.id") == "c1-1"
        assert "apples" in await page.run("document.querySelector('#c1-1 .raw').textContent")


@pytest.mark.parametrize("width", [400, 900, 1600])
@pytest.mark.parametrize("dark", [True, False])
async def test_nothing_is_wider_than_the_window_and_all_text_has_contrast(talks, width, dark):
    async with browsing() as page:
        await page.look(width, 900, dark=dark)
        await page.open(talks, "#c1-1")
        assert await page.run("document.documentElement.scrollWidth") <= width
        assert await page.run(FAINT) == []


async def test_on_paper_every_thread_is_there_and_nothing_is_folded(talks):
    async with browsing() as page:
        await page.look(800, 1000)
        await page.open(talks)
        await page.run("dispatchEvent(new Event('beforeprint'))")
        await page.look(800, 1000, media="print")
        assert await page.run("[...document.querySelectorAll('.thread')].every(e => e.getClientRects().length)")
        assert await page.run("[...document.querySelectorAll('.talk details')].every(e => e.open)")
        assert not await page.run("document.querySelector('#list').getClientRects().length")
        assert not await page.run("[...document.querySelectorAll('button')].some(e => e.getClientRects().length)")
        assert await page.run("getComputedStyle(document.querySelector('#t1')).breakBefore") == "auto"


async def test_the_theme_can_be_chosen_against_the_systems(talks):
    colour = "getComputedStyle(document.body).backgroundColor"
    async with browsing() as page:
        await page.look(900, 900, dark=False)
        await page.open(talks)
        light = await page.run(colour)
        await page.press("t")
        assert await page.run(colour) == light
        await page.press("t")
        assert await page.run(colour) != light


FAINT = """(() => {
  // WCAG 2.2, 1.4.3: a contrast of 4.5 for each text that is seen.
  const channel = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const element of document.body.querySelectorAll('*')) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!own || !element.getClientRects().length || ['SCRIPT', 'STYLE'].includes(element.nodeName)) continue;
    const svg = element.namespaceURI.endsWith('svg');
    const style = getComputedStyle(element);
    const [one, two] = [light(parse(svg ? style.fill : style.color)), light(behind(element))].sort((a, b) => b - a);
    const name = `${element.nodeName}.${element.className}: ${element.textContent.slice(0, 40)}`;
    if ((one + 0.05) / (two + 0.05) < 4.5) faint.push(name);
  }
  return faint;
})()"""
