"""A miss says why: what is near, what differs, where in the conversation, and what to do."""

import json
import time

import pytest
from respool.cassettes.interaction import Body, Headers, Interaction, Request, Response
from respool.cassettes.misses import MOST_DECODED, Miss, explain
from respool.cassettes.positions import Session
from respool.cassettes.tape import Tape

JSON: Headers = ((b"content-type", b"application/json"),)
SAY = "POST /threads/t/messages"


def miss_of(recording, call, *, played=(), strict: bool = False) -> Miss:
    """The explanation that a session gives for `call` after it played others."""
    session = Session(Tape(recording, strict=strict))
    for earlier in played:
        assert session.serve(earlier.key, variant=earlier.variant) is not None
    assert session.serve(call.key, variant=call.variant) is None
    return explain(recording, session, call.request)


def test_a_field_that_differs_is_named_with_both_values_and_its_place(replay) -> None:
    say = [replay.Call(SAY, {"role": "user", "content": text}) for text in ("one", "two", "three")]
    begin = replay.Call("POST /threads", {}, answer={"id": "t"})
    recording = replay.record(begin, *say)
    miss = miss_of(recording, replay.Call(SAY, {"role": "user", "content": "twice"}), played=[begin, say[0]])
    assert miss.reason == "differs"
    assert miss.param == "$.content"
    assert miss.message == (
        "No recording answers POST /threads/t/messages (createMessage), write 3 of 4 of t. "
        'The nearest recorded request, write 3 of 4 of t, differs in 1 field: $.content: recorded "two", asked "twice". '
        "Also near: write 4 of 4 of t (1 field), write 2 of 4 of t (1 field)."
    )
    assert "record this conversation again" in miss.hint
    assert [near.place for near in miss.nearest] == ["write 3 of 4 of t", "write 4 of 4 of t", "write 2 of 4 of t"]


@pytest.mark.parametrize(
    ("line", "recorded", "asked", "expected"),
    [
        (SAY, {"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, ["$.a.b[1]: recorded 2, asked 3"]),
        (SAY, {"a": 1}, {"a": 1, "b": None}, ["$.b: recorded nothing, asked null"]),
        (SAY, {"a": [1, {"x": "y"}]}, {"a": [1.0]}, ['$.a[1]: recorded {"x": "y"}, asked nothing']),
        (SAY, {"a": "1"}, {"a": 1}, ['$.a: recorded "1", asked 1']),
        (SAY, {"a": {}}, {"a": []}, ["$.a: recorded {}, asked []"]),
        (SAY, {"a b": 1}, {"a b": 2}, ['$["a b"]: recorded 1, asked 2']),
        (SAY, {"": 1}, {"": 2}, ['$[""]: recorded 1, asked 2']),
        (SAY, {"a": "grün"}, {"a": "gr\x1b[2J\u202e"}, ['$.a: recorded "grün", asked "gr\\u001b[2J\\u{202e}"']),
        (SAY, None, {"a": 1}, ["$.a: recorded nothing, asked 1"]),
        (SAY, [1], {"a": 1}, ['$: recorded [1], asked {"a": 1}']),
    ],
)
def test_differences_within_a_body(replay, line: str, recorded: object, asked: object, expected: list[str]) -> None:
    miss = miss_of(replay.record(replay.Call(line, recorded)), replay.Call(line, asked))
    assert [str(difference) for difference in miss.nearest[0].differences] == expected


@pytest.mark.parametrize(
    ("recorded", "asked", "expected"),
    [
        (
            "GET /threads/t/messages?limit=5&order=asc",
            "GET /threads/t/messages?limit=6",
            ["query:limit", "query:order"],
        ),
        ("GET /threads/t/messages", "GET /threads/t/messages?run_id=r", ["query:run_id"]),
        ("GET /threads/t/runs/r1", "GET /threads/t/runs/r2", ["path:run_id"]),
        ("GET /threads/t/runs/r1", "GET /threads/u/runs/r1", ["path:thread_id"]),
        ("GET /v1/threads/t/runs/r1?a=1", "GET /openai/threads/t/runs/r1?a=1&a=2", ["query:a"]),
    ],
)
def test_differences_of_the_target(replay, recorded: str, asked: str, expected: list[str]) -> None:
    miss = miss_of(replay.record(replay.Call(recorded)), replay.Call(asked))
    assert [difference.field for difference in miss.nearest[0].differences] == expected


def raw(body: bytes, content_type: bytes) -> Request:
    return Request("POST", b"/files", ((b"Content-Type", content_type),), Body.of(body))


FORM = b'--%b\r\nContent-Disposition: form-data; name="file"; filename="%b"\r\n\r\n%b\r\n--%b--\r\n'


@pytest.mark.parametrize(
    ("recorded", "asked", "expected"),
    [
        (
            raw(FORM % (b"x", b"a.txt", b"one", b"x"), b"multipart/form-data; boundary=x"),
            raw(FORM % (b"yy", b"b.txt", b"two", b"yy"), b"multipart/form-data; boundary=yy"),
            ["part[0].filename: recorded a.txt, asked b.txt", "part[0].data: recorded one, asked two"],
        ),
        (
            raw(FORM % (b"x", b"a.txt", b"one", b"x"), b"multipart/form-data; boundary=x"),
            raw(b"--x--\r\n", b"multipart/form-data; boundary=x"),
            ["part[0]: recorded a part named file, asked nothing"],
        ),
        (
            raw(b"\x00\x01", b"audio/wav"),
            raw(b"\x00\x02", b"audio/wav"),
            ["body: recorded \\x00\\x01, asked \\x00\\x02"],
        ),
        (
            raw(b"a=1", b"application/x-www-form-urlencoded"),
            raw(b"a=2", b"application/x-www-form-urlencoded"),
            ["form:a: recorded 1, asked 2"],
        ),
        (
            raw(b"a=1&b=2", b"application/x-www-form-urlencoded"),
            raw(b"b=2&a=1", b"application/x-www-form-urlencoded"),
            ["body: recorded a=1&b=2, asked b=2&a=1"],
        ),
        (
            raw(b"{}", b"text/plain"),
            raw(b"{}", b"application/json"),
            ["header:content-type: recorded text/plain, asked application/json"],
        ),
        (raw(b"[" * 500, b"application/json"), raw(b"[" * 501, b"application/json"), None),
        (raw(b"x" * (2 << 20), b""), raw(b"x" * (1 << 20), b""), ["body: recorded 2097152 bytes, asked 1048576 bytes"]),
        (
            raw(b"x" * (2 << 20), b""),
            raw(b"y" * (2 << 20), b""),
            ["body: recorded 2097152 bytes, asked as many bytes, but others"],
        ),
    ],
)
def test_differences_of_other_bodies(replay, recorded: Request, asked: Request, expected: list[str] | None) -> None:
    recording = replay.Recording([Interaction(0, 0, recorded, Response(200))])
    miss = explain(recording, Session(Tape(recording)), asked)
    assert miss.reason == "differs"
    if expected is None:
        assert [difference.field for difference in miss.nearest[0].differences] == ["body"]
    else:
        assert [str(difference) for difference in miss.nearest[0].differences] == expected


def test_a_long_value_is_shown_from_where_it_parts(replay) -> None:
    common = "the same words again and again " * 40
    miss = miss_of(replay.record(replay.Call(SAY, {"a": common + "left"})), replay.Call(SAY, {"a": common + "right"}))
    difference = miss.nearest[0].differences[0]
    assert difference.recorded is not None
    assert difference.asked is not None
    assert difference.recorded.startswith("…")
    assert difference.recorded.endswith('left"')
    assert difference.asked.endswith('right"')
    assert len(difference.recorded) < 130


def test_a_write_whose_uses_are_spent_is_told_from_one_never_recorded(replay) -> None:
    go, stop = replay.Call(SAY, {"content": "go"}), replay.Call(SAY, {"content": "stop"})
    recording = replay.record(go, go, stop)
    miss = miss_of(recording, go, played=[go, go])
    assert miss.reason == "spent"
    assert miss.param is None
    assert "it was recorded 2 times, and this session has used each of them" in miss.message
    assert "each of them. The next recorded write is createMessage, write 3 of 3 of t." in miss.message
    assert "/@NAME/" in miss.hint
    assert [near.differences for near in miss.nearest] == [(), ()]
    once = miss_of(recording, stop, played=[stop])
    assert "it was recorded 1 time, and this session has used it. The next recorded write is" in once.message
    last = miss_of(recording, stop, played=[go, go, stop])
    assert "and this session has used it." in last.message
    for told in (miss, once, last):
        assert ".." not in told.paragraph


def test_what_was_never_recorded_at_all_is_said_so(replay) -> None:
    recording = replay.record(replay.Call("GET /threads/t"))
    miss = miss_of(recording, replay.Call("DELETE /threads/t"))
    assert miss.reason == "never"
    assert "the cassette holds no deleteThread" in miss.message
    assert miss.nearest == ()
    assert "PATCH /somewhere" in miss_of(recording, replay.Call("PATCH /somewhere", {})).message
    empty = miss_of(replay.record(), replay.Call("GET /threads/t/runs/r"))
    assert empty.reason == "never"
    assert "of t, of which nothing was recorded" in empty.message


def test_a_strict_replay_names_what_was_recorded_later(replay) -> None:
    poll = replay.Call("GET /threads/t/runs/r")
    recording = replay.record(replay.Call("POST /threads/t/runs", {}), poll)
    miss = miss_of(recording, poll, strict=True)
    assert miss.reason == "later"
    assert "before the first of 1 writes of t" in miss.message
    assert "only later, after write 1 of 1 of t" in miss.message
    assert "--strict" in miss.hint


def test_what_is_left_for_another_caller_is_said_so(replay) -> None:
    ann, bob = replay.Call(SAY, {}, variant=0x10), replay.Call(SAY, {}, status=401, variant=0x20)
    miss = miss_of(replay.record(ann, bob), ann, played=[ann])
    assert miss.reason == "other-caller"
    assert "another credential or OpenAI-Beta version" in miss.message


def test_the_same_thread_comes_before_others_and_the_fewest_fields_first(replay) -> None:
    recording = replay.record(
        replay.Call("POST /threads/u/messages", {"a": 1, "b": 1}),
        replay.Call(SAY, {"a": 1, "b": 2, "c": 3}),
        replay.Call(SAY, {"a": 1, "b": 2}),
        replay.Call("POST /threads/t/runs", {"a": 1, "b": 1}),
    )
    miss = miss_of(recording, replay.Call(SAY, {"a": 1, "b": 1}))
    assert [near.place for near in miss.nearest] == ["write 2 of 3 of t", "write 1 of 1 of u", "write 1 of 3 of t"]
    assert "write 1 of 1 of u (the same but for its path)" in miss.message
    elsewhere = miss_of(recording, replay.Call("POST /threads/w/messages", {"a": 1, "b": 1}))
    assert [near.place for near in elsewhere.nearest[:1]] == ["write 1 of 1 of u"]
    assert elsewhere.param == "path:thread_id"


def test_a_creation_is_compared_with_those_of_all_threads(replay) -> None:
    recording = replay.record(
        replay.Call("POST /threads", {"metadata": {"n": 1}}, status=429),
        *(replay.Call("POST /threads", {"metadata": {"n": n, "x": "y"}}, answer={"id": f"t{n}"}) for n in range(4)),
    )
    miss = miss_of(recording, replay.Call("POST /threads", {"metadata": {"n": 3, "x": "z"}}))
    assert "POST /threads (createThread), which would begin a thread" in miss.message
    assert miss.nearest[0].place == "write 1 of 1 of t3"
    assert miss.param == "$.metadata.x"


def test_an_unknown_path_is_compared_with_that_path_before_others(replay) -> None:
    recording = replay.record(
        replay.Call("POST /vector_stores/a", {"n": 1}), replay.Call("POST /vector_stores/b", {"n": 2})
    )
    miss = miss_of(recording, replay.Call("POST /v1/vector_stores/b", {"n": 3}))
    assert [near.place for near in miss.nearest] == ["write 2 of 2 of /vector_stores"]
    assert miss_of(recording, replay.Call("POST /vector_stores/c", {"n": 3})).param == "path[1]"
    assert miss_of(recording, replay.Call("POST /vector_stores/c/d", {"n": 3})).reason == "never"


def test_many_differences_are_counted_and_a_few_shown(replay) -> None:
    recording = replay.record(replay.Call(SAY, {f"f{n}": n for n in range(20)}))
    miss = miss_of(recording, replay.Call(SAY, {f"f{n}": n + 1 for n in range(20)}))
    assert "differs in 20 fields: $.f0: recorded 0, asked 1; " in miss.message
    assert miss.message.endswith("; and 14 more.")


def test_the_error_body_has_the_shape_of_the_api(replay) -> None:
    recording = replay.record(replay.Call(SAY, {"content": "one"}))
    miss = miss_of(recording, replay.Call(SAY, {"content": "zwölf"}))
    error = json.loads(miss.to_json())["error"]
    parts = error.pop("respool")
    assert parts["nearest"][0]["differences"] == [{"field": "$.content", "recorded": '"one"', "asked": '"zwölf"'}]
    assert (parts["reason"], parts["place"], parts["setting"]) == ("differs", "write 1 of 1 of t", None)
    assert error == {
        "message": f"{miss.message} {miss.hint}",
        "type": "respool_miss",
        "param": "$.content",
        "code": "respool_miss",
    }
    assert json.loads(miss_of(recording, replay.Call("DELETE /threads/t")).to_json())["error"]["param"] is None


def test_no_secret_of_the_request_is_shown(replay) -> None:
    recording = replay.record(replay.Call(SAY, {"content": "one"}))
    secret = "sk-very-secret-0123"
    body = json.dumps({"content": secret}).encode()
    headers: Headers = (*JSON, (b"Authorization", f"Bearer {secret}".encode()))
    asked = Request("POST", f"/threads/t/messages?api-key=abc&x={secret}".encode(), headers, Body.of(body))
    session = Session(Tape(recording))
    miss = explain(recording, session, asked)
    assert secret not in repr(miss)
    assert "asked REDACTED" in miss.message
    assert 'asked "REDACTED"' in miss.message


HIDDEN_JSON = [
    ({"metadata": {"x": "y"}}, {"metadata": {"x": "y", "api_key": "hunter2-b"}}, "$.metadata.api_key"),
    ({"metadata": {"x": "y"}}, {"metadata": {"x": "y", "clientSecret": "hunter2"}}, "$.metadata.clientSecret"),
    ({}, {"metadata": {"deep": [{"password": "hunter2"}]}}, "$.metadata"),
    ({"auth_token": {"given": ["hunter2"]}}, {"auth_token": {"given": ["hunter3"]}}, "$.auth_token.given[0]"),
]


@pytest.mark.parametrize(("recorded", "asked", "field"), HIDDEN_JSON)
def test_the_value_of_a_member_that_sounds_secret_is_hidden(replay, recorded, asked, field) -> None:
    miss = miss_of(replay.record(replay.Call(SAY, recorded)), replay.Call(SAY, asked))
    assert miss.param == field
    assert "hunter" not in repr(miss)
    assert "REDACTED" in miss.message
    assert b"hunter" not in miss.to_json()


def test_another_secret_in_the_same_place_is_no_difference(replay) -> None:
    recorded, asked = ({"metadata": {"api_key": key}} for key in ("hunter2-a", "hunter2-b"))
    call = replay.Call(SAY, asked)
    session = Session(Tape(replay.record(replay.Call(SAY, recorded))))
    assert session.serve(call.key, variant=call.variant) is not None


FORM_TYPE = b"application/x-www-form-urlencoded"
PASSWORD_FORM = b'--x\r\nContent-Disposition: form-data; name="password"\r\n\r\n%b\r\n--x'


@pytest.mark.parametrize(
    ("recorded", "asked"),
    [
        (raw(b"n=1", FORM_TYPE), raw(b"n=1&password=hunter3", FORM_TYPE)),
        (raw(b"password=hunter2&b=1", FORM_TYPE), raw(b"b=1&password=hunter2", FORM_TYPE)),
        (raw(b"a=b;api%2Dkey=hunter2", FORM_TYPE), raw(b"a=c;api%2Dkey=hunter3", FORM_TYPE)),
        (
            raw(PASSWORD_FORM.replace(b"password", b"n") % b"1" + b"--\r\n", b"multipart/form-data; boundary=x"),
            raw(PASSWORD_FORM % b"hunter3" + b"--\r\n", b"multipart/form-data; boundary=x"),
        ),
        (
            raw(PASSWORD_FORM.replace(b"password", b"n") % b"1", b"multipart/form-data; boundary=x"),
            raw(PASSWORD_FORM % b"hunter3", b"multipart/form-data; boundary=x"),
        ),
        (raw(b'{"n": "1"', b"application/json"), raw(b'{"api_key": "hunter3"', b"application/json")),
        (raw(b"x: 1\npassword:\n hunter2", b"text/plain"), raw(b"x: 1\npassword:\n hunter3", b"text/plain")),
        (
            Request("POST", b"/files?q=1", ((b"a", b"b"),), Body.of(b"{}")),
            Request("POST", b"/files?clientsecret=hunter2&x;sig=hunter3", (), Body.of(b"{}")),
        ),
    ],
)
def test_secrets_in_forms_and_plain_bodies_are_hidden(replay, recorded: Request, asked: Request) -> None:
    recording = replay.Recording([Interaction(0, 0, recorded, Response(200))])
    miss = explain(recording, Session(Tape(recording)), asked)
    assert miss.reason == "differs"
    assert "hunter" not in repr(miss)
    assert "REDACTED" in miss.message


def test_hostile_text_is_shown_and_not_acted_on(replay) -> None:
    recording = replay.record(replay.Call("POST /threads/t/messages", {"a\x1b]52;c;x\x07": "\x9b2J\u202e"}))
    asked = Request("POST", b"/threads/t\x1b[2J/messages?\x1b[31m=%1b", JSON, Body.of(b'{"\\u202e": "\\u0007"}'))
    text = explain(recording, Session(Tape(recording)), asked).message
    assert text.isprintable()
    asked = Request("POST", b"/threads/t/messages?%1b[31m=%9b", JSON, Body.of(b'{"\\u202e\\u0007": "\\u0007"}'))
    text = explain(recording, Session(Tape(recording)), asked).message
    assert text.isprintable()
    assert "query:\\x1b[31m" in text


def test_the_work_is_bounded(replay) -> None:
    calls = [replay.Call(SAY, {"n": n, "pad": "x" * 100}) for n in range(1500)]
    recording = replay.record(*calls)
    began = time.process_time()
    miss = miss_of(recording, replay.Call(SAY, {"n": -1}))
    assert miss.reason == "differs"
    assert recording.decoded <= MOST_DECODED
    assert time.process_time() - began < 5


def test_equal_requests_are_compared_once(replay) -> None:
    recording = replay.record(*[replay.Call("GET /threads/t/runs/r", answer=n) for n in range(500)])
    miss = miss_of(recording, replay.Call("GET /threads/t/runs/other"))
    assert recording.decoded == 1
    assert len(miss.nearest) == 1
