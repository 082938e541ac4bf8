"""Values beside telling names: strings, numbers and lists of both, at any depth of JSON, line by line too."""

import json

import pytest
from respool.cassettes.secrets.finder import canonical, clean
from respool.cassettes.secrets.policy import PLAIN, Policy
from respool.cassettes.secrets.pseudonyms import Pseudonyms

MADE = Pseudonyms(b"k" * 32)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"password": 12345678}, {"password": "REDACTED"}),
        ({"api_key": -12345678, "n": 1}, {"api_key": "REDACTED", "n": 1}),
        ({"api_keys": ["abc", "def"], "n": 12345}, {"api_keys": ["REDACTED", "REDACTED"], "n": 12345}),
        ({"passwords": [1234567, "x y z", 7654321]}, {"passwords": ["REDACTED", "REDACTED", "REDACTED"]}),
        ({"secrets": []}, {"secrets": []}),
        ({"secrets": [{"name": "a", "password": "b1"}]}, {"secrets": [{"name": "a", "password": "REDACTED"}]}),
        ({"access_tokens": ["one, two", 'three "3"']}, {"access_tokens": ["REDACTED", "REDACTED"]}),
    ],
)
@pytest.mark.parametrize("depth", range(4))
@pytest.mark.parametrize("indent", [None, 2])
def test_numbers_and_lists_go_and_json_stays_json(said, kept, depth, indent):
    text, wanted = json.dumps(said, indent=indent), json.dumps(kept, indent=indent)
    for _ in range(depth):
        text, wanted = json.dumps({"output": text}), json.dumps({"output": wanted})
    cleaned = clean(text.encode(), PLAIN)
    assert cleaned == wanted.encode()
    assert clean(cleaned, PLAIN) == cleaned
    put = clean(text.encode(), PLAIN, MADE)
    json.loads(put)
    assert clean(put, PLAIN, MADE) == put
    assert canonical(put, PLAIN) == canonical(text.encode(), PLAIN)


@pytest.mark.parametrize("value", ["$ecret-Word1", "%2Bab/cd", "<b>tag1", "*one-star1", "[x1", "{y2", "$a"])
def test_a_password_may_begin_as_a_placeholder_does(value):
    assert clean(json.dumps({"password": value}).encode(), PLAIN) == b'{"password": "REDACTED"}'


@pytest.mark.parametrize(
    "value",
    [
        "${SECRET}",
        "$SECRET",
        "$(cat key)",
        "%API_KEY%",
        "<your key>",
        "{key}",
        "{{ key }}",
        "[key]",
        "****1234",
        "xxxx",
    ],
)
def test_a_placeholder_stays(value):
    text = json.dumps({"password": value, "api_key": value}).encode()
    assert clean(text, PLAIN) == text


def test_json_line_by_line_is_read_like_any_other():
    lines = [
        json.dumps({"n": number, "password": f"hunter{number}", "pin_secret": 1000 + number}) for number in range(50)
    ]
    kept = clean("\n".join(lines).encode(), PLAIN).decode().splitlines()
    assert [json.loads(line) for line in kept] == [
        {"n": number, "password": "REDACTED", "pin_secret": "REDACTED"} for number in range(50)
    ]


def test_a_name_of_the_user_gives_any_number_away():
    assert clean(b'{"pin": 7, "x": [7]}', Policy.of(["name:pin"])) == b'{"pin": "REDACTED", "x": [7]}'
    assert clean(b'{"pins": [7, 8]}', Policy.of(["name:pins"])) == b'{"pins": ["REDACTED", "REDACTED"]}'


def test_a_cassette_of_the_first_table_is_matched_by_it():
    first = Policy.of(version=1)
    text = b'{"password": 12345678, "api_keys": ["abc"], "client_secret": "x1"}'
    assert canonical(text, first) == b'{"password": 12345678, "api_keys": ["abc"], "client_secret": "REDACTED"}'


@pytest.mark.parametrize("begun", ['"password": ', '"password" : ', '"api_keys": [', '"api_keys": ["one of them", '])
def test_a_name_at_the_end_of_a_piece_takes_nothing_of_what_follows_the_piece(begun):
    piece = json.dumps({"delta": {"value": begun}})
    data = f"data: {piece}\n\nevent: x\ndata: {piece}\n\n".encode()
    for line in clean(data, PLAIN).decode().splitlines():
        if line.startswith("data:"):
            assert json.loads(line[5:])["delta"]["value"].startswith(begun[:12])


@pytest.mark.parametrize("said", ["{'password': \"open sesame now\"}", "{\"password\": 'open sesame now'}"])
def test_the_quotes_of_a_name_and_of_its_value_may_differ(said):
    for text in (said, json.dumps({"said": said})):
        assert b"sesame" not in clean(text.encode(), PLAIN)
