"""Text whose letters are spelled as escapes is looked at as it reads, and replaced as it stands."""

import html
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from respool.cassettes.secrets.finder import canonical, clean, find
from respool.cassettes.secrets.policy import PLAIN, Policy
from respool.cassettes.secrets.pseudonyms import Pseudonyms
from respool.cassettes.secrets.respelled import is_respelled, respelled

KEY = "sk-proj-aB3dE5gH7jK9mN1pQ2rS4tU6_x"
SAID = json.dumps({"password": "open sesame", "note": KEY})
MADE = Pseudonyms(b"k" * 32)


def escaped(text: str, signs: str) -> str:
    return "".join(f"\\u{ord(sign):04x}" if sign in signs else sign for sign in text)


@pytest.mark.parametrize(
    "text",
    [
        quote(SAID),
        quote(quote(SAID)),
        quote(quote(quote(SAID))),
        html.escape(SAID),
        SAID.replace('"', "&#34;"),
        SAID.replace('"', "&#x22;"),
        escaped(SAID, '"-_'),
        quote(html.escape(SAID)),
        SAID.replace("-", "%2D").replace("_", "%5F"),
        json.dumps({"content": escaped(SAID, '"-_')}),
    ],
)
def test_a_secret_is_found_however_its_letters_are_spelled(text):
    kept = clean(text.encode(), PLAIN, MADE)
    for part in (b"sesame", b"aB3dE5gH7"):
        assert part in text.encode()
        assert part not in kept
    assert clean(kept, PLAIN, MADE) == kept
    assert canonical(kept, PLAIN) == canonical(text.encode(), PLAIN)


def test_all_letters_of_a_key_may_be_escapes_and_it_has_the_pseudonym_that_it_always_has():
    spelled = escaped(KEY, KEY).encode()
    plain = clean(KEY.encode(), PLAIN, MADE)
    assert clean(b'{"a": "' + spelled + b'"}', PLAIN, MADE) == b'{"a": "' + plain + b'"}'


def test_a_cassette_of_the_second_table_is_matched_by_it():
    text = quote(json.dumps({"password": "open sesame"})).encode()
    assert canonical(text, Policy.of(version=2)) == text


@pytest.mark.parametrize(
    "text", [b"plain", b"50% of it", b"a&b&amp;c", b"\\u003cb\\u003e \\u0026", b"\\u00e9", b"%E2%82%AC", b"a\\u0027s"]
)
def test_what_many_programs_escape_is_no_reason_to_look_twice(text):
    assert not is_respelled(text)
    assert respelled(text) is None


@given(
    st.lists(
        st.sampled_from(["a", "%41", "%2541", "\\u0042", "&quot;", "&#65;", "%", "&", "\\", "é", "%zz"]), max_size=20
    )
)
def test_each_place_of_what_is_read_is_one_of_the_text(pieces):
    data = "".join(pieces).encode()
    read = respelled(data)
    if read is None:
        return
    places = [read.place(at) for at in range(len(read.text) + 1)]
    assert places == sorted(places)
    assert places[0] == 0
    assert places[-1] == len(data)
    for at, sign in enumerate(read.text):
        piece = data[places[at] : places[at + 1]]
        assert piece == bytes([sign]) or piece[:1] in b"%\\&"


def test_prose_with_escapes_stays():
    text = quote("The password: please reset it now. See https://h.example/a?b=c#d, 100% & more").encode()
    assert find(text) == ()
