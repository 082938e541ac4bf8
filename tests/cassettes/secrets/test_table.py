"""Each rule finds its example, whole at any length, and leaves its counter-example; none of them can be made to hang."""

import sys
import time

import pytest
from campaign import sized
from respool.cassettes.secrets.finder import canonical, clean, find, find_once
from respool.cassettes.secrets.names import STEMS
from respool.cassettes.secrets.policy import PLAIN
from respool.cassettes.secrets.respelled import is_respelled
from respool.cassettes.secrets.table import RULES

SMALL, LARGE = 32_768, 131_072
LONG = b"aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0z" * 1000


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_finds_its_example_and_leaves_its_counter_example(rule):
    assert rule.name in [span.rule for span in find(rule.example)]
    assert find(rule.counter) == ()
    assert find(clean(rule.example, PLAIN)) == ()


@pytest.mark.parametrize(
    "text",
    [
        b"sk-ant-api03-%b",
        b"sk-proj-%b",
        b"sess-%b",
        b"https://h.example/?sig=%b",
        b"AccountKey=%b",
        b"ya29.%b",
        b"ghp_%b",
        b"github_pat_%b",
        b"glpat-%b",
        b"xoxb-%b",
        b"https://hooks.slack.com/services/%b",
        b"sk_live_%b",
        b"whsec_%b",
        b"hf_%b",
        b"pypi-%b",
        b"eyJ%b.eyJ%b.%b",
        b"-----BEGIN PRIVATE KEY-----\\n%b\\n-----END PRIVATE KEY-----",
        b"postgres://app:%b@db.example",
        b"postgres%%3A%%2F%%2Fapp%%3A%b%%40db.example",
        b"Bearer %b",
        b'"password": "%b"',
        b"password=%b",
        b"x=1&client_secret=%b&y=2",
        b'name="token"\r\n\r\n%b\r\n',
        b"token: %b",
    ],
)
def test_a_secret_goes_whole_however_long_it_is(text):
    text = b"say " + text.replace(b"%b", LONG).replace(b"%%", b"%") + b" end"
    kept = clean(text, PLAIN)
    assert LONG[:12] not in kept
    assert kept.startswith(b"say ")
    assert kept.endswith(b" end")


def hostile():
    """For each marker what is worst for its rule: itself again and again, with and without what its pattern goes on with."""
    for rule in RULES:
        for marker in rule.markers:
            yield from (marker, marker + b"a1" * 300 + b" ", marker + b"-", b"\\n" + marker, marker + b"a1a1a1a1a1a1.")
        for length in range(len(rule.markers[0]), len(rule.example), 7):
            yield rule.example[:length]
    for stem in STEMS:
        quoted = b'"' + stem + b'"'
        yield from (stem, stem + b"=", stem + b":", stem + b"%3D", b"?" + stem + b"=", quoted + b":", quoted + b"\r\n")
        yield from (
            quoted + b': "',
            quoted + b': ["a",',
            quoted + b': "\\"',
            stem + b'": \\"',
            stem + b"=a1B2c3D4e5F6g7=",
        )
    yield from (b"://a:b", b"%3A%2F%2Fa%3Ab", b'\\"', b"QUJD", b"QUJD" * 19 + b"\\n", b"=".join(STEMS), b"".join(STEMS))
    yield from (b"".join(rule.markers[0] for rule in RULES), b"".join(rule.example[:-1] for rule in RULES))
    yield b'"token":"token\\":\\"token\\\\\\":\\\\\\"'


def cost(text):
    began = time.process_time()
    find_once(text, PLAIN)
    return time.process_time() - began


UNITS = list(dict.fromkeys(hostile()))
TIMED = UNITS[:: sized(8, 1)]
"""All are counted below, which takes less; the clock sees what happens within one search."""


@pytest.mark.parametrize("unit", TIMED, ids=lambda unit: repr(unit[:30]))
def test_no_text_takes_longer_than_its_length(unit):
    small, large = ((unit * (size // len(unit) + 1))[:size] for size in (SMALL, LARGE))
    taken = []
    for _ in range(4):  # other work on the machine makes it longer, never shorter
        taken.append(cost(large) / (cost(small) + 0.0005))
        if taken[-1] < 8:
            return
    pytest.fail(f"four times the text takes {min(taken):.0f} times as long; 16 times is quadratic")


def work(text):
    """How many functions are called to look through a text, those in C among them."""
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        find_once(text, PLAIN)
    finally:
        sys.setprofile(before)
    return calls


WORST = (
    b'"pwd": "\\"',
    b'"pwd":',
    b'"password": [1,2,3,',
    b'"password":["a","b",',
    b'"secret": ["a",',
    b'"token":"aB3dE5gH7jK9mN1"',
    b"password=a&",
    b"pass=",
    b"://",
    RULES[-1].example + b" ",
    b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0N",
)
"""What takes most work for its length."""
LONGEST = sized(1 << 18, 1 << 20)
PARTS = 20
"""A test for each of a thousand texts would take longer to set up than the text to look through."""


@pytest.mark.parametrize("part", range(PARTS))
def test_no_text_takes_more_than_some_steps_for_each_of_its_bytes(part):
    taken = {}
    for unit in list(dict.fromkeys([*UNITS, *WORST]))[part::PARTS]:
        text = (unit * (4096 // len(unit) + 1))[:4096]
        readings = 2 if is_respelled(text) else 1  # as it stands, and as it reads
        taken[unit] = work(text) / readings
    assert {unit: steps for unit, steps in taken.items() if steps >= 2.9 * 4096 + 200} == {}


@pytest.mark.parametrize("unit", WORST[::3], ids=lambda unit: repr(unit[:30]))
def test_of_the_worst_four_times_as_much_takes_four_times_the_work(unit):
    small, large = ((unit * (size // len(unit) + 1))[:size] for size in (LONGEST >> 2, LONGEST))
    assert work(large) < 4.1 * work(small)


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
        b'{"password_length": 12345, "secret_created_at": 1712345678, "passwords": [], "secret": 1, "api_key": true}',
        b'{"required": ["password", "secret"], "tokens": ["Hello", "world"], "logprobs": {"token_ids": [12345, 6789]}}',
    ],
)
def test_what_only_looks_like_a_secret_stays(text):
    assert clean(text, PLAIN) == text
    assert canonical(text, PLAIN) == text
