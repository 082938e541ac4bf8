import pytest
from respool.cassettes.errors import UsageError
from respool.cassettes.interaction import Body, Interaction, Request, Response
from respool.inspector.requests import as_text, here, left_out, of_text, ready, refuse_placeholders

HEADERS = (
    (b"Host", b"127.0.0.1:8080"),
    (b"Accept-Encoding", b"gzip"),
    (b"Authorization", b"Bearer REDACTED"),
    (b"OpenAI-Organization", b"REDACTED"),
    (b"X-Api-Token", b"REDACTED"),
    (b"Cookie", b"rsp_cookie_abcdefghijklmnop"),
    (b"OpenAI-Beta", b"assistants=v2"),
    (b"Content-Type", b"application/json"),
    (b"Content-Length", b"18"),
    (b"Idempotency-Key", b"once"),
)


def call(body=b'{"content": "hi"}', target=b"/v1/threads/t/messages", **more):
    return Interaction(3, 1, Request("POST", target, HEADERS, Body.of(body)), Response(200), **more)


def test_credentials_come_from_the_environment_and_what_was_the_connections_goes():
    request = ready(call(), {"OPENAI_API_KEY": "sk-mine", "OPENAI_ORG_ID": "org-mine"})
    assert dict(request.headers) == {
        b"Authorization": b"Bearer sk-mine",
        b"OpenAI-Organization": b"org-mine",
        b"OpenAI-Beta": b"assistants=v2",
        b"Content-Type": b"application/json",
    }
    assert dict(ready(call(), {}).headers) == {b"OpenAI-Beta": b"assistants=v2", b"Content-Type": b"application/json"}


def test_what_a_call_is_sent_without_is_named_by_its_variable():
    assert left_out(call(), {}) == ["OPENAI_API_KEY", "OPENAI_ORG_ID"]
    assert left_out(call(), {"OPENAI_API_KEY": "sk-mine", "OPENAI_ORG_ID": "\x1b"}) == ["OPENAI_ORG_ID"]
    assert left_out(Interaction(0, 1, Request("GET", b"/v1"), None), {}) == []


@pytest.mark.parametrize("weird", ["with\nbreak: x", "\x1b[2J", "ü"])
def test_a_key_that_is_no_header_value_is_left_out(weird):
    assert b"Authorization" not in dict(ready(call(), {"OPENAI_API_KEY": weird}).headers)


def test_a_session_of_its_own_is_kept_whatever_its_name():
    assert ready(call(session="refund~gw3"), {}).target == b"/@refund~gw3/v1/threads/t/messages"
    assert ready(call(session="a/b\r\nX: y"), {}).target.startswith(b"/@a%2Fb%0D%0AX%3A%20y/v1")
    assert ready(call(session="default"), {}).target == b"/v1/threads/t/messages"


def test_what_is_not_there_as_a_whole_is_refused():
    for broken in (call(request_cut=True), call(extra={"shortened": {"request": 9}}), call(b"x" * (5 << 20))):
        with pytest.raises(UsageError):
            ready(broken, {})


def test_a_placeholder_is_refused_wherever_it_stands():
    refuse_placeholders(ready(call(), {}))
    for bad in (
        call(b'{"k": "REDACTED"}'),
        call(target=b"/v1/x?api_key=REDACTED"),
        call(b"rsp_token_abcdefghijklmnop"),
    ):
        with pytest.raises(UsageError, match="a secret was taken out"):
            refuse_placeholders(ready(bad, {}))


def test_an_edited_request_is_what_was_written_and_shows_no_credential():
    request = ready(call(), {"OPENAI_API_KEY": "sk-mine"})
    text = as_text(request)
    assert "sk-mine" not in text
    edited = of_text(text.replace('"hi"', '"ho"').replace("assistants=v2", "assistants=v1") + "\n", request)
    assert edited.body.read() == b'{"content": "ho"}'
    assert dict(edited.headers)[b"OpenAI-Beta"] == b"assistants=v1"
    assert dict(edited.headers)[b"Authorization"] == b"Bearer sk-mine"
    assert of_text(text, request).target == request.target


@pytest.mark.parametrize(
    "text",
    [
        "",
        "POST\n\n",
        "GET //x y\n\n",
        "GET http://evil/\n\n",
        "GET /x\nno header\n\n",
        "GET /x\nA: b\x00\n\n",
        "get /x\n\n",
    ],
)
def test_what_is_no_request_any_more_is_refused(text):
    with pytest.raises(UsageError):
        of_text(text, ready(call(), {}))


def test_a_body_that_is_no_text_cannot_be_edited():
    with pytest.raises(UsageError, match="no text"):
        as_text(ready(call(b"\xff\xfe"), {}))


@pytest.mark.parametrize(
    ("told", "way"),
    [
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:8080/v1", "http://[::1]:8080"),
        ("http://0.0.0.0:8080/v1", "http://127.0.0.1:8080"),
        ("http://[::]:8080/v1", "http://[::1]:8080"),
        ("http://evil.example:8080/v1", ""),
        ("http://127.0.0.1@evil.example/", ""),
        ("http://10.0.0.1:8080", ""),
        ("https://127.0.0.1:1", ""),
        ("http://127.0.0.1:99999", ""),
        ("", ""),
        ("/x", ""),
    ],
)
def test_credentials_go_to_this_machine_alone_whatever_a_proxy_says(told, way):
    assert here(told) == way
