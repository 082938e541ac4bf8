"""A text is found in a body as it stands there and as JSON spells it; what is refused by its bytes is refused rightly."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from respool.cassettes import needle
from respool.cassettes.interaction import BlobRef, Body
from respool.cassettes.needle import Needle, unescaped

# Letters that escapes are made of, what folds into them, what JSON must escape, and halves of a character.
LETTERS = 'aAnNuU0159fFsSkK\\"/\n\t ßſKéüİﬁ\U0001d518'
SPELLINGS = st.one_of(
    st.sampled_from(
        [*LETTERS, "\\n", "\\t", "\\u", "\\\\", "\\/", '\\"', "\\q", "\\u0061", "\\u00e9", "\\ud835\\udd18"]
    ),
    st.sampled_from([f"\\u{ord(letter):04x}" for letter in LETTERS if ord(letter) < 0x10000]),
)


def plainly(data: bytes, text: str) -> bool:
    """The same without a short cut."""
    said = data.decode("utf-8", "replace")
    return text.casefold() in said.casefold() or text.casefold() in unescaped(said).casefold()


@given(st.lists(SPELLINGS, max_size=12).map("".join), st.text(LETTERS, min_size=1, max_size=4))
def test_a_short_cut_never_changes_the_answer(said, text):
    data = said.encode()
    assert Needle(text).holds(data) is plainly(data, text)


@given(st.text(max_size=30), st.binary(max_size=20), st.data())
def test_a_part_of_a_text_is_found_however_json_spells_it(text, noise, data):
    start = data.draw(st.integers(0, len(text)))
    part = text[start : start + data.draw(st.integers(1, 8))]
    for ascii_only in (True, False):
        body = noise + json.dumps({"said": text}, ensure_ascii=ascii_only).encode("utf-8", "replace")
        if part.strip() and part.isprintable():
            assert Needle(part).holds(body)


@given(st.binary(max_size=40), st.text(min_size=1, max_size=3))
def test_any_bytes_can_be_looked_through(data, text):
    assert Needle(text).holds(data) is plainly(data, text)


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (b'"stra\\u00dfe"', "STRASSE"),
        (b'"\\u0041bc"', "abc"),
        (b'"a\\/b"', "a/b"),
        (b'"\\ud83d\\ude00!"', "\U0001f600!"),
        (b'"{\\"id\\": 118}"', '{"id": 118}'),
        ("Größe".encode(), "GRÖSSE"),
        (b'"line\\nnext"', "line\nnext"),
    ],
)
def test_spellings_that_are_met(said, text):
    assert Needle(text).holds(said)


def test_every_character_that_folds_into_ascii_is_known():
    folding = [chr(code) for code in range(0x80, 0x110000) if re.search("[\x00-\x7f]", chr(code).casefold())]
    assert folding
    for character in folding:
        assert needle._SPELLS_ASCII.fullmatch(f"\\u{ord(character):04x}"), character


def test_most_bodies_are_refused_without_undoing_their_escapes(monkeypatch):
    def never(text):
        raise AssertionError(text)

    monkeypatch.setattr(needle, "unescaped", never)
    bodies = [b'{"a": 1}', '{"a": "ü"}'.encode(), b'{"a": "{\\"id\\": 1}\\n"}', b'{"a": "\\u00fc\\u2014"}']
    assert not any(Needle("missing").holds(body) for body in bodies)


def test_a_piece_that_many_bodies_share_is_looked_through_once():
    asked = []

    def load(ref):
        asked.append(ref)
        return b"I want my money back"

    found = Needle("money")
    bodies = [Body((BlobRef(b"d" * 16, 20),), load) for _ in range(50)]
    assert all(map(found.in_body, bodies))
    assert len(asked) == 1


def test_a_text_across_two_pieces_is_found():
    pieces = {b"a" * 16: b"x" * 500 + b"I want my mo", b"b" * 16: b"ney back"}
    body = Body((BlobRef(b"a" * 16, 512), BlobRef(b"b" * 16, 8)), lambda ref: pieces[ref.digest])
    assert Needle("my money").in_body(body)
    assert not Needle("my monkey").in_body(body)


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(needle, "_MOST_VERDICTS", 3)
    found = Needle("x")
    for number in range(20):
        found.in_body(Body((BlobRef(bytes([number]) * 16, 1),), lambda ref: b"x"))
    assert len(found._verdicts) <= 3
