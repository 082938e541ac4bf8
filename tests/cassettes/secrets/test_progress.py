import json

import pytest
from respool.cassettes.secrets.cleaning import Cleaning
from respool.cassettes.secrets.finder import hide
from respool.cassettes.secrets.policy import Policy
from respool.cassettes.secrets.progress import settled, shown_of
from streamed_forms import STREAMS, pieces

KEY = "sk-proj-aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY"
SECRETS = [
    f"take {KEY} and go on with what was said before",
    f'{{"api_key": "{KEY}", "id": 118}} is what it was',
    "the password: hunter2isnotgood1 was told to me",
    '{"client_secret": "my long phrase with blanks", "then": 1} and so on',
    '{"api_keys": ["first of them", "second one here"], "password": 20481973, "then": 1} and so on',
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAo\nVJTUt9Us8cKj\n-----END PRIVATE KEY----- so",
    "postgres://user:s3cr3tpassw0rd@db.example.com/x is where",
    "Authorization: Bearer abcDEF123456ghiJKL789mno and more words",
    "now the password is kX7qP2mZ9rT4wL6b and that is all",
    "so curl -u me:kX7qP2mZ9r https://h.example and wait",
    "env:\n- name: DB_PASSWORD\n  value: kX7qP2mZ9rT4wL6b\n- name: A",
    "Private-Lines: 2\naB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0za\naB3dE5gH7jK9\nPrivate-MAC: 1 and more",
    "%22password%22%3A%20%22kX7qP2mZ9rT4%22 and so on it goes",
    "| password | kX7qP2mZ9rT4wL6b | and so on it goes",
]


def delta(text, name="msg_1"):
    value = {"id": name, "object": "thread.message.delta"}
    value["delta"] = {"content": [{"index": 0, "type": "text", "text": {"value": text}}]}
    return b"event: thread.message.delta\ndata: " + json.dumps(value).encode() + b"\n\n"


def ended(text, name="msg_1"):
    value = {"id": name, "object": "thread.message", "status": "completed"}
    value["content"] = [{"type": "text", "text": {"value": text, "annotations": []}}]
    return b"event: thread.message.completed\ndata: " + json.dumps(value).encode() + b"\n\n"


def text_of(stream):
    found = []
    for line in stream.splitlines():
        if line.startswith(b"data:") and b"delta" in line:
            found.append(json.loads(line[5:])["delta"]["content"][0]["text"]["value"])
    return "".join(found)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13])
@pytest.mark.parametrize("said", SECRETS)
def test_at_no_moment_is_more_shown_than_the_whole_stream_will_tell(said, size):
    pieces = [delta("Well, ")] + [delta(said[at : at + size]) for at in range(0, len(said), size)] + [ended(said)]
    cleaning = Cleaning()
    whole = shown_of(b"".join(pieces), cleaning, ())
    assert text_of(whole) != "Well, " + said  # else the sample holds no secret
    before = b""
    for count in range(len(pieces) + 1):
        shown = shown_of(b"".join(pieces[:count]), cleaning, ())
        assert whole.startswith(shown), text_of(shown)
        assert len(shown) >= len(before)
        before = shown


def test_plain_words_are_shown_up_to_the_last_one():
    pieces = [delta(word) for word in ("The ", "cat ", "sat ", "on")]
    assert text_of(shown_of(b"".join(pieces), Cleaning(), ())) == "The cat sat "


def test_the_end_of_a_message_shows_its_last_word():
    stream = delta("The cat") + ended("The cat")
    assert shown_of(stream, Cleaning(), ()) == stream


def test_a_known_value_with_blanks_is_held_back_whole():
    secret = b"correct horse battery"
    pieces = [delta("say "), delta("correct "), delta("horse "), delta("batt"), delta("ery to me and then be gone")]
    for count in range(len(pieces)):
        assert "correct" not in text_of(shown_of(b"".join(pieces[:count]), Cleaning(), (secret,)))


def test_rules_of_the_user_hold_back_more():
    cleaning = Cleaning(Policy.of(["text:blue whale sings"]), hide)
    pieces = [delta(word) for word in ("the ", "blue ", "whale ", "sings ", "loud ")]
    for count in range(len(pieces)):
        assert "blue" not in text_of(shown_of(b"".join(pieces[:count]), cleaning, ()))


def test_an_event_that_is_not_whole_is_not_shown_and_a_long_word_not_held_for_ever():
    assert settled(b"event: x\ndata: {}") == 0
    stream = b"".join(delta("x" * 1000, name="msg_9") for _ in range(40))
    assert 0 < settled(stream) < len(stream)


@pytest.mark.parametrize("form", STREAMS)
def test_whatever_the_form_no_piece_of_a_key_is_shown_before_the_rest_is_there(form):
    data = STREAMS[form]
    for end in (place + 1 for place in range(len(data)) if data.startswith((b"\n", b"\r"), place)):
        shown = shown_of(data[:end], Cleaning(), ())
        assert not [piece for piece in pieces()[:-1] if piece.encode() in shown]
