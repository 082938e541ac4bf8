"""How foreign text gets into the page."""

import json

import pytest
from respool.cassettes.text import safe
from respool.inspector.report.markup import MOST_TEXT, block, inert, line, state, took


@pytest.mark.parametrize("show", [line, block])
def test_nothing_foreign_is_markup_or_leaves_an_attribute(show):
    shown = show('<b onx="1">\'&amp;</b></script>')
    assert not set("<>\"'") & set(shown)
    assert "&amp;amp;" in shown


@pytest.mark.parametrize("show", [line, block])
def test_what_acts_or_hides_is_shown_as_ascii(show):
    shown = show("a\x1b[2J\u202eb\u2028c\u200bd\x00")
    assert shown == safe(shown)
    assert "\\x1b" in shown
    assert "\\u{202e}" in shown


def test_a_data_block_cannot_be_left_and_reads_back_equal():
    value = {"</script><!--": ["]]>&\u2028\u2029\ud800", 1, None]}
    text = inert(value)
    assert text.isascii()
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == value


def test_a_long_text_says_how_much_is_missing():
    assert block("x" * (MOST_TEXT + 5)).endswith('<span class="cut">5 more characters are not in this page</span>')


@pytest.mark.parametrize("name", ["completed", "failed", "expired", "cancelled", "requires_action", "queued", "other"])
def test_a_state_is_a_word_and_a_symbol_besides_its_colour(name):
    assert f"{name}</span>" in state(name)
    assert "<use href=" in state(name)


def test_a_state_with_a_hostile_name_is_text():
    assert "<i>" not in state("<i>")


@pytest.mark.parametrize(
    ("us", "told"),
    [
        (0, "0 µs"),
        (1_500, "1.5 ms"),
        (250_000, "250 ms"),
        (8_412_000, "8.41 s"),
        (182_000_000, "3 min 02 s"),
        (7_320_000_000, "2 h 02 min"),
    ],
)
def test_times_read_as_people_say_them(us, told):
    assert took(us) == told
