"""What a body ends with that was broken off within a secret: its beginning goes too, and what begins none stays."""

import random
import re

import pytest
from planted import KINDS, core, streamed
from respool.cassettes.interaction import Body, End, Interaction, Request, Response
from respool.cassettes.redaction import redact
from respool.cassettes.secrets.cleaning import DEFAULT, Sweeper
from respool.cassettes.secrets.finder import edited
from respool.cassettes.secrets.policy import PLAIN, Policy
from respool.cassettes.secrets.unfinished import unfinished

BY_ITS_LOT = {"azure 84", "azure storage signed", "azure search"}
"""Kinds that only their end betrays, and most of which looks drawn by lot."""
AT_ITS_END = BY_ITS_LOT | {"azure sas", "token in a path", "azure client secret"}
BEGUN = sorted({kind for kind, (name, _) in KINDS.items() if not name} - AT_ITS_END)
KEY = "ghp_aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zaB3dE5"


def cleaned(data: bytes, taint: tuple[bytes, ...] = ()) -> bytes:
    return edited(data, DEFAULT.edits(data, taint, cut=True))


def told_in(stream: bytes) -> bytes:
    """What the cleaned stream tells of the text that `streamed` was made of."""
    return b"".join(re.findall(rb'"value": "([^"]*)"', cleaned(stream))).replace(b"unrelated ", b"")


@pytest.mark.parametrize("missing", [1, 4])
@pytest.mark.parametrize("kind", BEGUN)
def test_a_key_that_misses_its_last_letters_goes(kind, missing):
    secret = KINDS[kind][1](random.Random(3))
    begun = core(secret)[:-missing]
    text = f"use {secret}"
    for whole in (b'{"content": "' + text.encode(), streamed(text, []), text.encode()):
        cut = whole[: whole.find(core(secret)) + len(begun)]
        assert begun[len(begun) // 2 :] not in cleaned(cut), whole


@pytest.mark.parametrize("length", [32, 40, 44])
@pytest.mark.parametrize("kind", sorted(BY_ITS_LOT))
def test_most_of_a_key_that_only_its_end_betrays_goes(kind, length):
    for seed in range(20):
        begun = core(KINDS[kind][1](random.Random(seed)))[:length]
        for before in (b'{"content": "use ', b"key: ", b""):
            assert begun not in cleaned(before + begun), before
        data = streamed(f"use {begun.decode()}", [20])
        assert told_in(data[: data.rfind(b"event: done")]) == b"use REDACTED"


@pytest.mark.parametrize("step", [1, 3, 7])
def test_a_stream_that_is_cut_between_two_pieces_of_a_key_tells_none_of_it(step):
    text = f"use {KEY}"[:-2]
    whole = streamed(text, list(range(step, len(text), step)))
    for data in (whole[: whole.rfind(b"event: done")], whole[: whole.rfind(b"event: done")] + b'data: {"delta": {"a\\'):
        kept = cleaned(data)
        assert told_in(data) == b"use REDACTED"
        assert kept.count(b"\n") == data.count(b"\n")


def test_a_piece_that_is_itself_cut_counts_to_its_text():
    data = streamed(f"use {KEY}", [8])
    data = data[: data.find(KEY[4:].encode()) + 20]
    assert KEY[4:20].encode() not in cleaned(data)


def test_the_beginning_of_a_known_value_goes():
    held = b"correct horse battery"
    assert cleaned(b'{"echo": "correct hor', (held,)) == b'{"echo": "REDACTED'
    assert cleaned(b'{"echo": "correct', (held,)) == b'{"echo": "correct'
    assert cleaned(b'{"echo": "correct horde', (held,)) == b'{"echo": "correct horde'


@pytest.mark.parametrize(
    "text",
    [
        b"only this", b"it is SKU 1", b"a key-value-store-of-many", b"http://127.0.0.1:8080", b"https://api.example2.com",
        b"thread_abc123DEF456ghi789JKL012", b"the rsp_github_aaaabbbbccccdddd", b"ghp_short", b"",
        b"sha256:" + b"0f3a" * 16, b"ABCDEF0123456789ABCDEF0123456789", b"4f9c2d7e-1b3a-4c5d-8e6f-7a8b9c0d1e2f",
        b"lib/Python3/site/packages/respool/cassettes", b"aB3dE5gH7jK9mN1pQ2rS4tU6" * 5,
        b"thread_aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zaB3",
        b"re_2024_report", b"secret_santa_2025", b"sk_learn_model_2", b"fw_rules_2026", b"MTA2025-report", b"cio2026conference",
        b"EAAS2024-platform", b"rnd_2024test", b"pat-europe2024", b"sl.2024.report.x",
    ],
)  # fmt: skip
def test_what_begins_no_secret_stays(text):
    assert unfinished(text, PLAIN, ()) == []


def test_what_the_user_allows_stays():
    assert unfinished(KEY[:-3].encode(), Policy.of([], ["rule:github-token"]), ()) == []
    assert unfinished(KEY[:-3].encode(), None, ()) == []


def test_only_a_call_that_was_cut_is_looked_at_so():
    begun = b'{"content": "ghp_aB3dE5gH7jK9mN1pQ2'
    for end in End:
        response = Response(200, b"OK", (), Body.of(begun))
        kept = redact(Interaction(0, 0, Request("GET", b"/"), response, end)).response.body.read()
        assert (kept == begun) is (end in (End.COMPLETE, End.UPSTREAM_FAILED))
    for cut in (False, True):
        asked = Request("POST", b"/", (), Body.of(begun))
        assert (redact(Interaction(0, 0, asked, None, request_cut=cut)).request.body.read() == begun) is not cut


def test_a_body_that_goes_by_and_breaks_off_is_looked_at_so():
    sweeper = Sweeper(DEFAULT)
    out = sweeper.feed(b"x " * 200_000 + KEY[:-2].encode()) + sweeper.finish(cut=True)
    assert out.endswith(b"x REDACTED")


def test_the_worst_text_takes_no_more_than_its_last_words():
    assert unfinished(b"SK." * 400_000, PLAIN, ()) == []
