import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from respool.cassettes.text import clip, safe

LEGIBLE_FORMATS = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
"""Arabic and Kaithi number signs and the like: format characters that have a shape (Prepended_Concatenation_Mark)."""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, ünïcode, 漢字, 😀", "plain text, ünïcode, 漢字, 😀"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x1b]52;c;aGk=\x07", "\\x1b]52;c;aGk=\\x07"),
        ("\x9b2J \x7f \x00", "\\x9b2J \\x7f \\x00"),
        ("a\r\nb\tc", "a\\r\\nb\\tc"),
        ("user\u202egnp.exe\u2066", "user\\u{202e}gnp.exe\\u{2066}"),
        ("zero\u200bwidth\u200d\ufeff", "zero\\u{200b}width\\u{200d}\\u{feff}"),
        ("tag\U000e0041\U000e007f", "tag\\u{e0041}\\u{e007f}"),
        ("selector\U000e0100\ufe00", "selector\\u{e0100}\\u{fe00}"),
        ("emoji ❤\ufe0f", "emoji ❤\ufe0f"),
        ("half \ud83d", "half \\u{d83d}"),
        ("line\u2028para\u2029nel\x85", "line\\u{2028}para\\u{2029}nel\\x85"),
        ("filler \u3164", "filler \\u{3164}"),
        (b"\xff\xfe ok \xc3\xa9", "\\xff\\xfe ok é"),
        (b"\xed\xa0\x80", "\\xed\\xa0\\x80"),
        ("", ""),
    ],
)
def test_what_acts_or_hides_is_shown(text, shown):
    assert safe(text) == shown


def test_newlines_are_kept_on_request_and_nothing_else_is():
    assert safe("a\n\tb\r\nc\rd\x1b\r", keep_newlines=True) == "a\n    b\nc\\rd\\x1b\\r"


@given(st.text(st.characters(codec=None)))
def test_safe_text_encodes_stays_one_line_and_stays_as_it_is(text):
    shown = safe(text)
    shown.encode()
    assert len(shown.splitlines()) <= 1
    assert safe(shown) == shown
    assert all(unicodedata.category(c) not in {"Cc", "Cs", "Zl", "Zp"} for c in shown)


@given(st.binary())
def test_any_bytes_become_safe(data):
    assert len(safe(data).splitlines()) <= 1


def test_no_control_or_format_character_of_this_unicode_passes():
    passed = [
        hex(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        and code not in LEGIBLE_FORMATS
        and safe(chr(code)) == chr(code)
    ]
    assert passed == []


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("\x1b" * 10, 6, "\\x1b\\…"),
        ("é".encode() * 9, 4, "ééé…"),
        ("é".encode() * 4, 4, "éééé"),
        ("", 0, ""),
        ("a", 0, "…"),
    ],
)
def test_clip_says_that_it_cut(text, limit, shown):
    assert clip(text, limit) == shown
