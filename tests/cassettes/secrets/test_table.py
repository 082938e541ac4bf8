"""Each rule finds its example, and leaves its counter-example; none of them can be made to hang."""

import time

import pytest
from respool.cassettes.secrets.finder import canonical, clean, find
from respool.cassettes.secrets.policy import PLAIN
from respool.cassettes.secrets.table import RULES

MIB = 1 << 20


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_finds_its_example_and_leaves_its_counter_example(rule):
    assert rule.name in [span.rule for span in find(rule.example)]
    assert find(rule.counter) == ()
    assert find(clean(rule.example, PLAIN)) == ()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_no_text_of_markers_takes_longer_than_its_length(rule):
    for marker in rule.markers:
        for unit in (marker, marker + b"a1" * 300 + b" ", marker + b"-", b"\\n" + marker):
            began = time.process_time()
            find((unit * (MIB // len(unit) + 1))[:MIB])
            assert time.process_time() - began < 8  # what is not linear takes minutes


@pytest.mark.parametrize(
    "text",
    [
        b'{"max_tokens": 12, "total_tokens": "12", "next_page_token": "aB3dE5gH7jK9mN1pQ2"}',
        b'{"id": "thread_abc123DEF456ghi789JKL012", "run": "run_abc123DEF456ghi789JKL012", "f": "file-abc123DEF456ghi789JKL"}',
        b'{"token": "Hello", "logprob": -0.1}',
        b'{"type": "object", "properties": {"password": {"type": "string"}}, "required": ["password"]}',
        b'{"password": "", "api_key": null, "secret": "${SECRET}", "pwd": "****"}',
        b"the password is in the safe, and the secret: patience",
        b'{"model": "gpt-4o-mini-2024-07-18", "session": "refund-session-12"}',
    ],
)
def test_what_only_looks_like_a_secret_stays(text):
    assert clean(text, PLAIN) == text
    assert canonical(text, PLAIN) == text
