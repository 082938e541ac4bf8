"""A rule is as it was declared: where it begins, and what it leaves alone by its context."""

import re

import pytest
from respool.cassettes.secrets.rule import APART
from respool.cassettes.secrets.shapes import shapes
from respool.cassettes.secrets.table import AT_A_WORD, IN_RUNS, RULES, RUN, SINCE, TABLE_VERSION


@pytest.mark.parametrize("before", [b"", b"say ", b"say\\n", b"say%20", b"_", b"--", b"**"])
def test_a_rule_of_a_word_begins_where_a_token_does(before):
    token = b"ghp_" + b"aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zaB3dE5"
    assert [span.start for span in shapes(before + token)] == [len(before)]
    assert shapes(b"c" + token) == []


@pytest.mark.parametrize("before", [b"", b" ", b'"', b"%20", b"\\n", b"\\u000a"])
def test_a_token_may_stand_behind_an_escape(before):
    assert re.search(APART + rb"token", before + b"token")


def test_every_example_of_a_rule_with_a_run_has_one():
    rules = {rule for _, pairs in IN_RUNS for _, rule in pairs}
    assert rules
    for each in rules:
        assert re.search(rb"[A-Za-z0-9+/_-]{%d}" % RUN, each.example), each.name


def test_each_rule_says_since_when_it_is_there_and_each_marker_of_a_word_has_its_rule():
    assert {SINCE[rule.name] for rule in RULES} <= set(range(1, TABLE_VERSION + 1))
    assert all(AT_A_WORD[marker] for rule in RULES if rule.word for marker in rule.markers)
