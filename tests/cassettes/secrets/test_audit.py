"""Secrets in what is stored already: told by place and rule, never shown, and taken out of a new cassette that still matches."""

import gzip
import random
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard
from planted import KINDS, PLACES
from respool.cassettes.errors import CassetteError
from respool.cassettes.interaction import Body, Interaction, Request, Response
from respool.cassettes.keys import request_key
from respool.cassettes.reader import Reader
from respool.cassettes.rules import Rules
from respool.cassettes.secrets import archives, audit
from respool.cassettes.secrets.audit import KNOWN_VALUE, SLOT, redact_cassette, suspects_in, suspects_in_file
from respool.cassettes.secrets.cleaning import DEFAULT
from respool.cassettes.secrets.policy import PLAIN, Policy, policy_of_notes
from respool.cassettes.summaries import summarise
from respool.cassettes.writer import Writer

KEY = "sk-proj-" + "abcdefghij0123456789ABCDEFGHIJ"


def stored(path, *calls: Interaction):
    """A cassette of before there were rules: nothing is taken out."""
    with Writer.create(path) as writer:
        for number, call in enumerate(calls):
            numbered = replace(call, arrival=number)
            writer.append(numbered, summarise(numbered))
    return path


def call(target=b"/v1/threads", *, headers=(), body=b"", answer=b"{}", answer_headers=()) -> Interaction:
    request = Request("POST", target, headers, Body.of(body))
    return Interaction(0, 5, request, Response(200, b"OK", answer_headers, Body.of(answer)), scope="/threads")


STREAMED = b"".join(
    b'data: {"id": "e%d", "delta": {"value": "%b"}}\n\n' % (number, KEY[at : at + 3].encode())
    for number, at in enumerate(range(0, len(KEY), 3))
)


def told(path) -> list[tuple[str, str]]:
    with Reader.open(path) as reader:
        return list(suspects_in(reader))


def test_each_place_is_named_with_its_rule(tmp_path):
    path = stored(
        tmp_path / "a.cassette",
        call(body=b'{"content": "hello"}'),
        call(headers=((b"Authorization", b"Bearer " + KEY.encode()),), body=b'{"echo": "%b"}' % KEY.encode()),
        call(b"/v1/threads?api_key=abcdefgh12345678", answer=b'{"x": "ghp_' + b"a1B2" * 9 + b'"}'),
        call(answer_headers=((b"Set-Cookie", b"session=0123456789abcdef; Path=/"),)),
    )
    found = told(path)
    assert ("call 1, the request's body, byte 10", "openai-key") in found
    assert any(place.startswith("call 1, the request's header Authorization") for place, _ in found)
    assert any(place.startswith("call 2, the path or query") for place, _ in found)
    assert ("call 2, the response's body, byte 7", "github-token") in found
    assert ("call 3, the response's header Set-Cookie", SLOT) in found
    assert not any(place.startswith("call 0") for place, _ in found)


def test_what_a_slot_held_is_known_elsewhere(tmp_path):
    path = stored(
        tmp_path / "a.cassette", call(headers=((b"x-api-key", b"plainword-77"),), answer=b'{"text": "plainword-77"}')
    )
    assert ("call 0, the response's body", KNOWN_VALUE) in told(path)


def test_nothing_is_left_to_find_and_what_was_sent_still_matches(tmp_path):
    chance = random.Random(4)
    calls, secrets = [], []
    for place in PLACES.values():
        for name, make in list(KINDS.values())[::5]:
            secret = make(chance)
            request, response = place(name, secret)
            calls.append(Interaction(0, 5, request, response, scope="thread_a"))
            secrets.append(secret.encode())
    path = stored(tmp_path / "a.cassette", *calls)
    assert len(told(path)) >= len(calls) / 2
    with Reader.open(path) as reader:
        changed = redact_cassette(reader, tmp_path / "b.cassette", DEFAULT)
    assert changed >= len(calls) / 2
    assert told(tmp_path / "b.cassette") == []
    with Reader.open(tmp_path / "b.cassette") as reader:
        assert policy_of_notes(reader.meta) == PLAIN
        assert len(reader) == len(calls)
        for row, sent in zip(reader.rows(), calls, strict=True):
            assert row.summary.key == request_key(sent.request, rules=Rules(policy=PLAIN))


def test_redacting_twice_changes_nothing(tmp_path):
    path = stored(tmp_path / "a.cassette", call(headers=((b"Authorization", b"Bearer " + KEY.encode()),)))
    with Reader.open(path) as reader:
        assert redact_cassette(reader, tmp_path / "b.cassette", DEFAULT) == 1
    with Reader.open(tmp_path / "b.cassette") as reader:
        assert redact_cassette(reader, tmp_path / "c.cassette", DEFAULT) == 0
    assert (tmp_path / "b.cassette").stat().st_mode & 0o777 == 0o600


def test_a_body_that_is_too_large_is_told_and_not_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr(audit, "LARGEST", 1_000)
    path = stored(tmp_path / "a.cassette", call(answer=b"x" * 1_001))
    assert told(path) == [("call 0, a body", archives.TOO_LARGE)]
    with Reader.open(path) as reader, pytest.raises(CassetteError, match=r"call 0 of .* has a body of more than"):
        redact_cassette(reader, tmp_path / "b.cassette", DEFAULT)
    assert [each.name for each in tmp_path.iterdir()] == ["a.cassette"]


def test_any_other_file_is_told_by_line(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(f"import os\n\nKEY = {KEY!r}\nok = 'thread_abc'\n")
    assert list(suspects_in_file(path)) == [("line 3", "openai-key")]
    with pytest.raises(CassetteError, match="cannot be read"):
        list(suspects_in_file(tmp_path / "none"))


@pytest.mark.parametrize(
    "packed",
    [
        lambda text: gzip.compress(text.encode()),
        lambda text: gzip.compress(text.encode())[:-9],
        lambda text: zstandard.ZstdCompressor().compress(text.encode()),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-be"),
        lambda text: b"\xff\xfe" + text.encode(),
        lambda text: gzip.compress(text.encode("utf-16")),
    ],
)
def test_a_file_that_is_packed_or_in_two_bytes_a_letter_is_read(tmp_path, packed):
    path = tmp_path / "log"
    path.write_bytes(packed(f"one line\nand {KEY} in the second\n"))
    assert list(suspects_in_file(path)) == [("line 2", "openai-key")]


def test_what_cannot_be_unpacked_or_has_no_end_is_named(tmp_path, monkeypatch):
    path = tmp_path / "log.gz"
    path.write_bytes(b"\x1f\x8b\x08" + b"garbage")
    assert list(suspects_in_file(path)) == [("the file", archives.NOT_OPENED)]
    monkeypatch.setattr(audit, "LARGEST", 100_000)
    assert list(suspects_in_file(Path("/dev/zero"))) == [("the file", archives.TOO_LARGE)]


def test_what_a_stream_tells_in_pieces_is_found_in_a_file_and_in_a_cassette(tmp_path):
    path = tmp_path / "stream.txt"
    path.write_bytes(b": a comment\n\n" + STREAMED)
    assert list(suspects_in_file(path)) == [("line 3", "openai-key")]
    assert told(stored(tmp_path / "a.cassette", call(answer=STREAMED))) == [
        ("call 0, the response's body, byte 39", "openai-key")
    ]


def test_the_odd_places_of_a_call_are_told_too(tmp_path):
    one = call(headers=((b"x-" + KEY.encode(), b"1"),))
    one = replace(one, session=f"s/{KEY}", scope=KEY, response=replace(one.response, reason=KEY.encode()))
    two = replace(call(), request=replace(call().request, method=KEY))
    found = [place for place, _ in told(stored(tmp_path / "a.cassette", one, two))]
    assert found == [
        "call 0, the session, byte 2",
        "call 0, the name of its thread, byte 0",
        "call 0, the name of a header of the request",
        "call 0, the response's status line, byte 0",
        "call 1, the method, byte 0",
    ]


def test_the_notes_of_a_cassette_are_looked_at_and_a_rule_of_the_user_is_none(tmp_path):
    path = tmp_path / "a.cassette"
    rules = Policy.of(["text:acme_live_1"], [])
    Writer.create(path, meta={**rules.note(), "said": f"by {KEY}"}).close()
    with Reader.open(path) as reader:
        assert list(suspects_in(reader, rules)) == [("the notes", "openai-key")]
        assert list(suspects_in(reader, Policy.of([], [f"text:{KEY}"]))) == []
