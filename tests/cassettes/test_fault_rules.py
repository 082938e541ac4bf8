"""The rules of faults: what can be written, and what is refused and where."""

import re
from itertools import product
from pathlib import Path

import pytest
from respool.cassettes.errors import UsageError
from respool.cassettes.fault_rules import (
    EFFECTS,
    WHERES,
    AskAgain,
    Break,
    Delay,
    FirstByte,
    Rule,
    RunEnds,
    Stall,
    Status,
)


@pytest.mark.parametrize(
    ("text", "effect"),
    [
        ("createRun#1: status 429 retry-after 2", Status(429, ((b"retry-after", b"2"),))),
        ("createRun: status 503 retry-after-ms 50", Status(503, ((b"retry-after-ms", b"50"),))),
        ("getRun%10: status 500", Status(500)),
        ("getRun#3: delay 500ms", Delay(0.5)),
        ("*: first-byte 2s", FirstByte(2.0)),
        ("stream: cut after 5 events", Break(5, "events", reset=False)),
        ("listMessages:cut after 1 byte", Break(1, "bytes", reset=False)),
        ("POST /threads/*/messages: reset", Break(None, "bytes", reset=True)),
        ("createRun: reset after 1 event", Break(1, "events", reset=True)),
        ("createRun: stall 1m", Stall(60.0, None, "bytes")),
        ("createRun: stall 30s after 3 events", Stall(30.0, 3, "events")),
        ("run: failed", RunEnds("failed", "server_error")),
        ("run#2-4%50: failed invalid_prompt", RunEnds("failed", "invalid_prompt")),
        ("run#2+: incomplete", RunEnds("incomplete", "max_completion_tokens")),
        ("run: incomplete max_prompt_tokens", RunEnds("incomplete", "max_prompt_tokens")),
        ("run: expired", RunEnds("expired")),
        ("run: cancelled", RunEnds("cancelled")),
        ("run: requires_action again", AskAgain()),
    ],
)
def test_a_rule_is_one_line(text, effect):
    assert Rule.parse(text).effect == effect


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("", 1, "begins with where"),
        ("createRnu: reset", 1, "createRnu is no operation"),
        ("createRun#x: reset", 10, "# takes a count"),
        ("createRun#0: reset", 10, "counts begin with 1"),
        ("createRun#3-2: reset", 10, "counts begin with 1"),
        ("createRun%x: reset", 10, "% takes a number"),
        ("createRun%101: reset", 10, "% takes a number"),
        ("createRun reset", 11, "`:`"),
        ("POST /*/*/*/*/*: reset", 6, "stars"),
        ("createRun:", 11, "should follow"),
        ("createRun: status", 18, "should follow"),
        ("createRun: status 200", 19, "no status of an error"),
        ("createRun: status 429 retry-after soon", 35, "whole number"),
        ("getRun: delay 11m", 15, "no time"),
        ("getRun: delay 5", 15, "no time"),
        ("getRun: cut", 12, "should follow"),
        ("getRun: cut after x bytes", 19, "no count"),
        ("getRun: cut after 99999999999999 bytes", 19, "no count"),
        ("getRun: cut after 5 lines", 21, "not one of events"),
        ("getRun: explode", 9, "explode is not one of status"),
        ("getRun: failed", 9, "failed is not one of status"),
        ("run: status 429", 6, "status is not one of failed"),
        ("run: failed badly", 13, "badly is not one of"),
        ("run: requires_action", 21, "again should follow"),
        ("getRun: delay 1s 2s", 18, "nothing is expected"),
    ],
)
def test_an_error_points_at_its_column(text, column, said):
    with pytest.raises(UsageError) as caught:
        Rule.parse(text)
    assert f"column {column}:" in caught.value.message
    assert said in caught.value.message


def test_a_misspelled_operation_is_met_with_the_nearest():
    with pytest.raises(UsageError) as caught:
        Rule.parse("createRuns: reset")
    assert caught.value.hint == "did you mean createRun?"


@pytest.mark.parametrize("text", ["getRun: reset\r\nx: y", "gétRun: reset", "*: reset" + " " * 500])
def test_a_rule_fits_into_a_header(text):
    with pytest.raises(UsageError):
        Rule.parse(text)


def test_the_docs_have_the_tables_of_rules():
    page = (Path(__file__).parent.parent.parent / "docs" / "faults.md").read_text()
    for table in (WHERES, EFFECTS):
        rows = [f"| `{syntax}` | {meaning} |".replace("|", "\\|") for syntax, meaning in table.items()]
        rows = [re.sub(r"^\\\|(.*) \\\| (.*) \\\|$", r"|\1 | \2 |", row) for row in rows]
        assert "\n".join(rows) in page


def spellings(syntax: str) -> list[str]:
    """Every form of an effect that its line in the table allows."""
    pieces = re.split(r"(\[[^\]]*\])", syntax.replace("events|bytes", "events"))
    choices = [["", *piece[1:-1].split("|")] if piece.startswith("[") else [piece] for piece in pieces]
    values = {"CODE": "503", "N": "2", "TIME": "500ms"}
    return [" ".join(values.get(word, word) for word in "".join(choice).split()) for choice in product(*choices)]


@pytest.mark.parametrize("text", [text for syntax in EFFECTS for text in spellings(syntax)])
def test_what_the_tables_say_can_be_written(text):
    run = text.split()[0] in {"failed", "incomplete", "expired", "cancelled", "requires_action"}
    assert Rule.parse(f"{'run' if run else 'getRun'}: {text}").of_runs == run
