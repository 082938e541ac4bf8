"""The guide to the sandbox is true: each of its examples does what it says, and no statement is left out."""

import re
from pathlib import Path

import pytest
from respool.proxy.sandbox.rules import parse_rules
from respool.proxy.sandbox.script import STATEMENTS

GUIDE = (Path(__file__).parents[3] / "docs" / "sandbox.md").read_text(encoding="utf-8")
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
