"""What a key is made of: one word for each class of secret, so that a credential of the same class asks for the same."""

import pytest
from respool.cassettes.secrets.finder import canonical, clean, one_word, unified
from respool.cassettes.secrets.policy import PLAIN, Policy
from respool.cassettes.secrets.pseudonyms import Pseudonyms

MINE, TEAMMATES = b"ghp_" + b"aB3d" * 9, b"ghp_" + b"Zy9x" * 9
ANOTHER_CLASS = b"sk-proj-" + b"aB3d" * 9
SENTENCE = b'{"content": "use %b now"}'


def test_the_same_class_matches_and_another_does_not():
    mine, teammates, another = (canonical(SENTENCE % secret, PLAIN) for secret in (MINE, TEAMMATES, ANOTHER_CLASS))
    assert mine == teammates == b'{"content": "use rsp_github now"}'
    assert another == b'{"content": "use rsp_openai now"}'


@pytest.mark.parametrize("key", [b"1" * 32, b"2" * 32])
def test_what_is_stored_matches_what_is_sent_whoever_recorded_it(key):
    stored = clean(SENTENCE % MINE, PLAIN, Pseudonyms(key))
    assert canonical(stored, PLAIN) == canonical(SENTENCE % TEAMMATES, PLAIN)


def test_a_cassette_of_the_first_table_takes_all_for_one_word():
    first = Policy.of(version=1)
    stored = clean(SENTENCE % MINE, first, Pseudonyms(b"k" * 32))
    assert canonical(stored, first) == canonical(SENTENCE % ANOTHER_CLASS, first) == SENTENCE % b"REDACTED"


def test_words_of_pseudonyms():
    text = b"a rsp_github_aaaabbbbccccdddd, rsp_openai and rsp_jwt_aaaabbbbccccdddd"
    assert unified(text) == b"a rsp_github, rsp_openai and rsp_jwt"
    assert one_word(text) == b"a REDACTED, REDACTED and REDACTED"
