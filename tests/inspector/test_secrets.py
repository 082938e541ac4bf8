"""What was taken out of calls, by place and rule, and what looks like a secret still."""

from respool.cassettes.interaction import Body, Interaction, Request
from respool.cassettes.secrets.policy import Policy
from respool.inspector.raw import MAX_BODY
from respool.inspector.secrets import MOST_FOUND, found_in, policy_of, secrets
from streamed_call import streamed, text


def test_secrets_are_told_by_place_and_reason():
    found = [(each.where, each.why) for each in found_in(streamed())]
    assert found == [
        ("request query key", "slot"),
        ("request header authorization", "slot"),
        ("request body $.api_key", "slot"),
    ]
    assert "3 values were taken out of 1 call" in text(secrets([streamed()]))


def test_pseudonyms_are_told_too(made):
    call = made.call(
        "POST /threads", {"content": "use rsp_github_aaaabbbbccccdddd"}, {"said": "rsp_jwt_aaaabbbbccccdddd"}
    )
    found = [(each.where, each.why) for each in found_in(call)]
    assert found == [("request body $.content", "github"), ("answer body $.said", "jwt")], "by the class of their rule"


KEY = "sk-proj-" + "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0z"


def test_what_looks_like_a_secret_still_is_told_by_place_and_rule_and_never_shown(made):
    call = made.call("POST /threads/thread_a/messages", {"content": f"my key is {KEY}"}, {"password": "hunter2hunter2"})
    shown = text(secrets([call, streamed()]))
    assert "! 2 places look like a secret still" in shown
    assert "the request's body, byte" in shown
    assert "by openai-key" in shown
    assert "the response's body, byte" in shown
    assert KEY not in shown
    assert "hunter2" not in shown
    assert "3 values were taken out of 2 calls" in shown
    assert "still" not in text(secrets([streamed()])), "what was taken out is no suspect"


def test_what_a_recording_allows_is_no_suspect_there(made):
    call = made.call("POST /threads", {"metadata": {"a": KEY}}, {})
    allowed = policy_of(Policy.of([], ["rule:openai-key"]).note())
    assert "still" in text(secrets([call], policy=policy_of({})))
    assert "still" not in text(secrets([call], policy=allowed))
    assert policy_of({"redaction": {"rules": 999}}) == policy_of({}), "one of a newer version is not understood"


def test_a_body_too_large_for_the_panel_is_named(made):
    call = made.call("POST /threads", {"metadata": "x" * (MAX_BODY + 1)}, {})
    assert "a body  by too large to look into" in text(secrets([call]))


def test_only_so_many_bytes_are_looked_at_for_what_is_left(made, monkeypatch):
    monkeypatch.setattr("respool.inspector.secrets.MOST_LOOKED", 100)
    calls = [made.call("POST /threads", {"metadata": {"a": "x" * 90, "b": KEY}}, {}) for _ in range(3)]
    shown = text(secrets(calls))
    assert "! 1 place looks like a secret still" in shown
    assert "2 calls not looked at for secrets that are left" in shown


def test_places_are_counted_most_first_and_items_of_a_list_as_one_place(made):
    call = made.call("POST /threads", {"rows": [{"token": "REDACTED"}, {"token": "REDACTED"}]}, {"api_key": "REDACTED"})
    lines = [line.text.split() for line in secrets([call]).lines]
    counted = [line for line in lines if "×" in line]
    assert counted == [
        ["2", "×", "request", "body", "$.rows", "by", "slot"],
        ["1", "×", "answer", "body", "$.api_key", "by", "slot"],
    ]


def test_a_place_in_a_path_and_in_a_text_that_is_no_json_is_found():
    request = Request("GET", b"/v1/files/rsp_jwt_aaaabbbbccccdddd", (), Body.of(b"a REDACTED and a REDACTED"))
    found = [(each.where, each.why) for each in found_in(Interaction(0, 0, request, None))]
    assert found == [("request path", "jwt"), ("request body", "value, 2 times")]


def test_what_is_nested_too_deep_is_told_by_where_it_was_left(made):
    value = "REDACTED"
    for _ in range(40):
        value = {"a": value}
    (found,) = found_in(made.call("POST /threads", value, {}))
    assert found.where.endswith("…")
    assert found.where.count(".a") == 32


def test_where_nothing_was_taken_out_that_is_said(made):
    call = made.call("GET /threads/thread_a", None, {})
    assert text(secrets([call])) == "Nothing was taken out of this call."
    assert text(secrets([call, call])) == "Nothing was taken out of these 2 calls."


def test_calls_that_were_not_looked_through_are_counted(made):
    assert text(secrets([made.call("GET /a", None, {})], left_out=7)).endswith("… 7 more calls were not looked through")


def test_the_places_of_a_hostile_call_are_no_more_than_can_be_shown(made):
    call = made.call("POST /threads", {f"token{number}": "REDACTED" for number in range(MOST_FOUND + 50)}, {})
    assert len(secrets([call]).lines) < MOST_FOUND + 300


def test_names_in_a_call_are_shown_harmless(made):
    shown = text(secrets([made.call("POST /threads", {f"token{made.HOSTILE}": "REDACTED"}, {})]))
    assert all(char.isprintable() or char == "\n" for char in shown)
