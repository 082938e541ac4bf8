"""Rules of a user, and personal data: what they find, what they let stand, and what they refuse."""

import pytest
from respool.cassettes.errors import CassetteError, UsageError
from respool.cassettes.secrets.finder import clean
from respool.cassettes.secrets.policy import PLAIN, Policy, policy_of_notes, policy_of_today


@pytest.mark.parametrize(
    ("redact", "allow", "text", "kept"),
    [
        (["name:customer_ref"], [], b'{"customer_ref": "118"}', b'{"customer_ref": "REDACTED"}'),
        (["text:acme_*"], [], b"is acme_live-12, acme", b"is REDACTED, acme"),
        (["text:acme"], [], b"is acme_live", b"is REDACTED_live"),
        ([], ["name:password"], b'{"password": "hunter2"}', None),
        ([], ["rule:aws-access-key"], b"AKIAQ7RSTUVWXYZ23456", None),
        ([], ["text:AKIAQ7*"], b"AKIAQ7RSTUVWXYZ23456", None),
    ],
)
def test_rules_of_a_user(redact, allow, text, kept):
    policy = Policy.of(redact, allow)
    assert clean(text, policy) == (text if kept is None else kept)
    assert policy_of_notes(policy.note()) == policy


@pytest.mark.parametrize("rule", ["nothing", "name:", "name:a b", "text:ab", "text:*", "rule:jwt", "text:" + "x" * 300])
def test_a_rule_that_makes_no_sense_is_refused(rule):
    with pytest.raises(UsageError, match="redact"):
        Policy.of([rule])


def test_notes_of_older_and_newer_cassettes():
    assert policy_of_notes({}) is None
    assert policy_of_notes(PLAIN.note()) == PLAIN
    with pytest.raises(CassetteError):
        policy_of_notes({"redaction": {"rules": 99}})
    first = policy_of_notes({"redaction": {"rules": 1, "redact": ["name:ref"], "allow": [], "pii": True}})
    assert first == Policy.of(["name:ref"], pii=True, version=1)
    assert first.of_today() == Policy.of(["name:ref"], pii=True) != first


def test_what_is_shown_goes_by_the_settings_of_the_cassette_and_todays_table():
    assert policy_of_today({}) == PLAIN
    older = {"redaction": {"rules": 1, "redact": ["name:ref"], "allow": [], "pii": True}}
    assert policy_of_today(older) == Policy.of(["name:ref"], pii=True)
    with pytest.raises(CassetteError):
        policy_of_today({"redaction": {"rules": 99}})


@pytest.mark.parametrize(
    "text",
    [
        b"ann.b+c@mail.example.com",
        b"+49 30 901820-0",
        b"DE89 3704 0044 0532 0130 00",
        b"GB82WEST12345698765432",
        b"4111 1111 1111 1111",
        b"8.8.8.8",
    ],
)
def test_personal_data_goes_on_request(text):
    text = b"it is " + text + b" here"
    assert clean(text, PLAIN) == text
    assert clean(text, Policy.of(pii=True)) == b"it is REDACTED here"


@pytest.mark.parametrize(
    "text", [b"a@b", b"DE88 3704 0044 0532 0130 00", b"4111 1111 1111 1112", b"10.0.0.8", b"1712345678", b"v1.2.3.4.5"]
)
def test_what_does_not_check_out_is_no_personal_data(text):
    text = b"it is " + text + b" here"
    assert clean(text, Policy.of(pii=True)) == text
