"""A thousand secrets of every kind, in every place: none is left, and the same request still has the same key."""

import random
import re
from dataclasses import replace

import pytest
from planted import KINDS, PLACES, core, in_turn, planted, streamed
from planted_search import said
from respool.cassettes.interaction import Body, Interaction, Request, Response
from respool.cassettes.keys import request_key
from respool.cassettes.reader import Reader
from respool.cassettes.redaction import redact
from respool.cassettes.secrets.cleaning import Cleaning, Sweeper
from respool.cassettes.secrets.finder import find
from respool.cassettes.secrets.policy import PLAIN
from respool.cassettes.secrets.pseudonyms import Pseudonyms
from respool.cassettes.summaries import summarise
from respool.cassettes.writer import Writer

CLEANING = Cleaning(PLAIN, Pseudonyms(b"k" * 32))
EACH = 2
"""Secrets of each kind; each stands in every place."""


def test_there_are_enough_kinds_and_places():
    assert len(KINDS) >= 25
    assert len(PLACES) >= 20


@pytest.fixture(scope="module")
def cases():
    """For each kind: place, secret, call."""
    found = {kind: [] for kind in KINDS}
    for kind, *case in planted(7, EACH):
        found[kind].append(case)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_no_planted_secret_is_left_and_matching_still_works(cases, kind):
    assert len(cases[kind]) == EACH * len(PLACES)
    for number, (place, secret, (asked, answered)) in enumerate(cases[kind]):
        kept = redact(Interaction(number, 0, asked, answered), CLEANING)
        assert core(secret) not in said(kept), place
        assert redact(kept, CLEANING).request.body == kept.request.body, place
        assert request_key(kept.request) == request_key(asked), place
        if place.startswith(("stream", "arguments")):
            assert kept.response.body.read().count(b"\n") == answered.body.read().count(b"\n")


def test_a_thousand_secrets_reach_no_file(tmp_path):
    path, secrets = tmp_path / "t.cassette", set()
    with Writer.create(path) as writer:
        for secret, (asked, answered) in in_turn(3, 30):
            secrets.add(core(secret))
            call = redact(Interaction(writer.next_arrival(), 0, asked, answered), CLEANING)
            writer.append(call, summarise(call))
    assert len(secrets) >= 1000
    with Reader.open(path) as reader:
        told = b"".join(said(reader.interaction(row)) for row in reader.rows()) + path.read_bytes()
    assert not [secret for secret in secrets if secret in told]


def test_another_credential_in_a_body_asks_the_same():
    rng = random.Random(5)
    for name, make in KINDS.values():
        if name:
            continue  # nothing tells it in a sentence
        one, other = make(rng), make(rng)
        bodies = [
            f'{{"content": "use {secret} now", "password": "{core(secret).decode()}"}}' for secret in (one, other)
        ]
        keys = {request_key(Request("POST", b"/v1/threads", (), Body.of(body.encode()))) for body in bodies}
        assert len(keys) == 1


def test_every_cut_of_a_stream_is_joined():
    secret = "sk-proj-" + "aB3dE5gH7jK9mN1pQ2rS4tU6"
    text = f"use {secret} now"
    for cut in range(1, len(text)):
        data = streamed(text, [cut])
        answered = Response(200, b"", (), Body.of(data), "", 0, ((len(data) // 2, 1), (len(data) - len(data) // 2, 2)))
        kept = redact(Interaction(0, 0, Request("POST", b"/"), answered), CLEANING).response
        joined = b"".join(re.findall(rb'"value": "([^"]*)"', kept.body.read())).replace(b"unrelated ", b"")
        assert re.fullmatch(rb"use rsp_openai_[a-z2-7]{16} now", joined)
        assert sum(length for length, _ in kept.marks) == len(kept.body)
        assert [moment for _, moment in kept.marks] == [1, 2]


@pytest.mark.parametrize("step", [999, 65_536, 1 << 20])
def test_a_body_that_goes_by_is_cleaned_as_one_that_is_held(step):
    rng = random.Random(9)
    parts = [b'{"n": "' + str(number).encode() * 40 + b'"},\n' for number in range(9000)]
    secrets = [KINDS[kind][1](rng) for kind in ("openai", "github fine", "jwt", "pypi") for _ in range(20)]
    for secret in secrets:
        parts.insert(rng.randrange(len(parts)), b'{"said": "' + secret.encode() + b'"},\n')
    data = b"".join(parts)
    sweeper = Sweeper(CLEANING)
    out = b"".join(sweeper.feed(data[start : start + step]) for start in range(0, len(data), step)) + sweeper.finish()
    assert out.count(b"rsp_") == len(secrets)
    assert not [secret for secret in secrets if secret.encode() in out]
    assert len(out) - len(data) == sum(change for _, change in sweeper.changes)


def test_a_stream_that_goes_by_is_joined_too():
    secret = "ghp_" + "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zaB3dE"
    text = "word " * 3000 + secret + " word" * 3000
    data = streamed(text, [*range(5, 15_000, 5), *range(15_000, 15_045, 2), *range(15_045, 30_000, 5)])
    sweeper = Sweeper(CLEANING)
    out = b"".join(sweeper.feed(data[start : start + 7000]) for start in range(0, len(data), 7000)) + sweeper.finish()
    joined = b"".join(re.findall(rb'"value": "([^"]*)"', out)).replace(b"unrelated ", b"")
    assert joined.count(b"rsp_github_") == 1
    assert secret[:12].encode() not in joined
    assert out.count(b"\n") == data.count(b"\n")


def test_an_ordinary_call_is_left_as_it_is():
    body = b'{"id": "run_abc123DEF456ghi789JKL012", "usage": {"total_tokens": 12}, "instructions": "Be kind."}'
    call = Interaction(0, 0, Request("POST", b"/v1/threads/runs?limit=20"), Response(200, b"OK", (), Body.of(body)))
    assert redact(call, CLEANING) == replace(call, scope=call.scope)
    assert find(body) == ()
