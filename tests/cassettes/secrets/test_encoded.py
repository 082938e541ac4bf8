"""Base64 in a text is read in one run or in lines, whatever breaks them, and stays base64 that says the rest."""

import base64
import json
import re

import pytest
from respool.cassettes.secrets.encoded import blocks
from respool.cassettes.secrets.finder import canonical, clean, find
from respool.cassettes.secrets.policy import PLAIN, Policy
from respool.cassettes.secrets.pseudonyms import Pseudonyms

SECRET = b"ghp_aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zaB3dE"
OTHER = b"ghp_zY3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zaB3dE"
SAID = b"a page of text that goes on for a while, and says " * 3 + b"use %b now " + b"and more of it " * 9
BREAKS = {
    "mime": "\r\n",
    "pem": "\n",
    "in json": "\\n",
    "mime in json": "\\r\\n",
    "deep": "\\\\n",
    "form": "%0A",
    "indented": "\n    ",
}


def in_lines(said, width, between):
    text = base64.b64encode(said).decode()
    return between.join(text[at : at + width] for at in range(0, len(text), width)).encode()


def joined(text):
    return base64.b64decode(re.sub(rb"\\+r|\\+n|%0A|\s", b"", text))


@pytest.mark.parametrize("between", BREAKS.values(), ids=BREAKS)
@pytest.mark.parametrize("width", [36, 64, 76, 10_000])
@pytest.mark.parametrize("shift", range(3))
def test_what_base64_in_lines_says_is_cleaned(between, width, shift):
    text = in_lines(b"x" * shift + SAID % SECRET, width, between)
    kept = clean(text, PLAIN, Pseudonyms(b"k" * 32))
    said = joined(kept)
    assert SECRET not in said
    assert re.fullmatch(re.escape(b"x" * shift + SAID).replace(b"%b", rb"rsp_github_[a-z2-7]{16}"), said)
    lines = kept.split(between.encode())
    assert {len(line) for line in lines[:-1]} <= {width}
    assert canonical(kept, PLAIN) == canonical(text, PLAIN)
    assert canonical(text, PLAIN) == canonical(in_lines(b"x" * shift + SAID % OTHER, width, between), PLAIN)
    assert clean(kept, PLAIN) == kept


def test_lines_of_other_lengths_and_ordinary_words_are_no_base64():
    text = b"\n".join(b"word" * count for count in (9, 12, 10, 14))
    assert [block.width for block in blocks(text)] == [36, 48, 56]
    assert find(text) == ()
    assert [*blocks(b"3f2504e0-4f89-11d3-9a0c-0305e82c3301 " + b"0123456789abcdef" * 4)] == []


def test_what_says_nothing_stays_byte_for_byte():
    for text in (
        json.dumps({"image": base64.b64encode(bytes(range(256)) * 9).decode()}).encode(),
        b"A" * 5000 + b"\n" + b"b" * 40,
    ):
        assert clean(text, PLAIN) == text


def test_a_cassette_of_the_first_table_is_matched_line_by_line():
    text = in_lines(SAID % SECRET, 76, "\n")
    assert len(list(blocks(text, lines=False))) == len(text.split(b"\n")) - (len(text.split(b"\n")[-1]) < 36)
    assert canonical(text, Policy.of(version=1)).count(b"\n") == text.count(b"\n")
