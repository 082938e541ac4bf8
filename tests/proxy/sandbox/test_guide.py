"""The guide to the sandbox is true: each of its examples does what it says, and no statement is left out."""

import re
import shlex
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from respool.proxy.sandbox.rules import parse_rules
from respool.proxy.sandbox.script import STATEMENTS
from respool.proxy.sandbox.server import serve_sandbox

DOCS = Path(__file__).parents[3] / "docs"
GUIDE = (DOCS / "sandbox.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```script\n(.*?)```\nSeen: ([^\n]*)\n", GUIDE, re.DOTALL)


def test_every_script_says_what_is_seen():
    assert len(EXAMPLES) == GUIDE.count("```script") > 5


@pytest.mark.parametrize(("script", "seen"), EXAMPLES, ids=[f"example {number}" for number in range(len(EXAMPLES))])
async def test_an_example_shows_the_statuses_that_it_says(open_api, script, seen):
    api = await open_api(script=script)
    thread = await api.thread()
    path = f"/v1/threads/{thread}/runs"
    body = {"assistant_id": "asst_abc123"}
    while (created := await api.call("POST", path, body)).status == 429:
        pass
    run = created.payload
    statuses = [run["status"]]
    for _ in range(2_000):
        api.clock.advance(0.01)
        reply = await api.call("GET", f"{path}/{run['id']}")
        if reply.status != 200:
            continue
        run = reply.payload
        if run["status"] != statuses[-1]:
            statuses.append(run["status"])
        if run["status"] == "requires_action":
            statuses.append((await api.submit(run))["status"])
        if run["status"] in ("completed", "failed", "cancelled", "expired", "incomplete"):
            break
    assert statuses == seen.split(", ")


def test_every_statement_is_in_the_table():
    table = set(re.findall(r"^\| `([a-z_]+)", GUIDE, re.MULTILINE))
    assert table == set(STATEMENTS)


def test_the_rules_can_be_read():
    [toml] = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
    rules = parse_rules(toml)
    assert [rule.match for rule in rules.rules] == ["refund", r"/order \d+/"]
    assert rules.script == 'say "I do not know."'


async def test_the_curl_call_of_the_guide_is_answered_by_a_sandbox():
    [line] = re.findall(r"^\$ (curl .*)$", (DOCS / "guide.md").read_text(encoding="utf-8"), re.MULTILINE)
    words = iter(shlex.split(line)[1:])
    url, given = next(words), list(zip(words, words, strict=True))
    headers = dict(value.split(": ", 1) for name, value in given if name == "-H")
    (data,) = (value for name, value in given if name == "-d")
    async with serve_sandbox() as running, aiohttp.ClientSession() as client:
        url = running.url + urlsplit(url).path
        async with client.post(url, headers=headers, data=data) as answer:
            assert answer.status == 200
        async with client.post(url, headers={"content-type": "application/json"}, data=data) as answer:
            assert answer.status == 401, "the guide says that no key gets one"
