from respool.cassettes.extract import Extract
from respool.cassettes.interaction import Body, Interaction, Request, Response
from respool.cassettes.reader import Reader
from respool.cassettes.secrets.policy import Policy
from respool.inspector.differ import by_meaning, by_text
from respool.inspector.document import MODES
from respool.inspector.raw import MAX_BODY, raw
from respool.inspector.secrets import found_in, policy_of, secrets


def text(document):
    return "\n".join(line.text for line in document.lines)


def streamed():
    body = b'event: a\ndata: {"n": 1}\n\nevent: done\ndata: [DONE]\n\n'
    cut = body.index(b"event: done")
    request = Request(
        "POST",
        b"/v1/threads/runs?key=REDACTED",
        ((b"Authorization", b"Bearer REDACTED"),),
        Body.of(b'{"api_key":"REDACTED"}'),
    )
    response = Response(200, b"OK", (), Body.of(body), head_us=1_000, marks=((cut, 20_000), (len(body) - cut, 120_000)))
    return Interaction(7, 1_700_000_000_000_000, request, response, duration_us=120_000)


def test_each_view_shows_the_bodies_in_its_own_form():
    shown = {mode: text(raw(streamed(), mode)) for mode in MODES}
    assert '"api_key": "REDACTED"' in shown["pretty"]
    assert '{"api_key":"REDACTED"}' in shown["raw"]
    assert "00000000  7b 22 61 70" in shown["hex"]
    assert "0.020 s" in shown["frames"]
    assert "+100 ms" in shown["frames"]


def test_a_large_body_is_cut_and_that_is_said():
    call = Interaction(0, 0, Request("GET", b"/"), Response(200, b"", (), Body.of(b"x" * (MAX_BODY + 9))))
    for mode in MODES:
        assert "more bytes are not shown here" in text(raw(call, mode))


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


def test_two_calls_differ_line_by_line(made):
    one, other = made.call("GET /a", None, {"n": 1, "same": 2}), made.call("GET /a", None, {"n": 3, "same": 2})
    shown = text(by_text(one, other)).split("\n")
    assert '-   "n": 1,' in shown
    assert '+   "n": 3,' in shown
    assert "equal to the letter" in text(by_text(one, one))


def test_two_runs_of_a_thread_are_compared_by_meaning(made, cassette):
    at = "/threads/thread_a/runs"
    calls = [
        made.call(f"POST {at}", {}, made.run(f"run_{number}", state))
        for number, state in enumerate(("completed", "failed"))
    ]
    with Reader.open(cassette(*made.thread("thread_a"), *calls)) as reader:
        shown = text(by_meaning(Extract(reader, "thread_a", [1]), Extract(reader, "thread_a", [2]), ("one", "two")))
        assert "-  completed" in shown
        assert "+  failed" in shown
        same = text(by_meaning(Extract(reader, "thread_a", [1]), Extract(reader, "thread_a", [1]), ("one", "two")))
        assert "They say the same" in same


def test_only_so_many_bytes_are_looked_at_for_what_is_left(made, monkeypatch):
    monkeypatch.setattr("respool.inspector.secrets.MOST_LOOKED", 100)
    calls = [made.call("POST /threads", {"metadata": {"a": "x" * 90, "b": KEY}}, {}) for _ in range(3)]
    shown = text(secrets(calls))
    assert "! 1 place looks like a secret still" in shown
    assert "2 calls not looked at for secrets that are left" in shown
