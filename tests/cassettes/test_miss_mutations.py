"""One believable recording, and one change of one request at a time: the miss names that very field first."""

import copy
import json

import pytest
from respool.cassettes.interaction import Body, Headers, Interaction, Request, Response
from respool.cassettes.misses import Miss, MissError, explain
from respool.cassettes.positions import Session
from respool.cassettes.rules import Rules
from respool.cassettes.tape import Tape
from respool.cassettes.text import safe

JSON: Headers = ((b"Content-Type", b"application/json"),)
FORM: Headers = ((b"Content-Type", b"multipart/form-data; boundary=b"),)

MESSAGE = {
    "role": "user",
    "content": "How warm is it in Graz?",
    "metadata": {
        "trace_id": "8f14e45f-ceea-467f-a0e6-1b2c3d4e5f60",
        "sent_at": "2026-01-05T10:00:00Z",
        "trace id": "4bf92f3577b34da6",
        "n": 1,
        "team": "weather",
    },
}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "parameters": {"type": "object", "properties": {"city": {"type": "string", "enum": ["Graz", "Linz"]}}},
        },
    }
    for name in ("temperature", "wind", "rain")
]
RUN = {"assistant_id": "asst_1", "model": "gpt-4o", "temperature": 1, "instructions": "Be brief. " * 40, "tools": TOOLS}
OUTPUTS = {"tool_outputs": [{"tool_call_id": "call_1", "output": "21"}, {"tool_call_id": "call_2", "output": "3"}]}
SAY, GO = "POST /v1/threads/thread_ab/messages", "POST /v1/threads/thread_ab/runs"
SUBMIT = "POST /v1/threads/thread_ab/runs/run_1/submit_tool_outputs"
LIST = "GET /v1/threads/thread_ab/messages?limit=20&order=asc"
UPLOAD = "POST /v1/files"


def asked(line: str, body: object = b"", headers: Headers = JSON) -> Request:
    method, target = line.split(" ", 1)
    return Request(
        method, target.encode(), headers, Body.of(body if isinstance(body, bytes) else json.dumps(body).encode())
    )


def form(*, name: bytes = b"file", filename: bytes = b"notes.txt", data: bytes = b"warm", more: bytes = b"") -> bytes:
    purpose = b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n'
    file = b'--b\r\nContent-Disposition: form-data; name="%b"; filename="%b"\r\n\r\n%b\r\n' % (name, filename, data)
    return purpose + file + more + b"--b--\r\n"


def changed(body: object, path: tuple[str | int, ...], value: object = None, *, drop: bool = False) -> object:
    """A copy of `body` with the value at `path` replaced, or taken out."""
    body = copy.deepcopy(body)
    inner = body
    for step in path[:-1]:
        inner = inner[step]
    if drop:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return body


RECORDED = [
    (asked("POST /v1/threads", {"metadata": {"user": "ann"}}), {"id": "thread_ab"}),
    (asked(SAY, MESSAGE), {"id": "msg_1"}),
    (asked(GO, RUN), {"id": "run_1", "status": "queued"}),
    (asked("GET /v1/threads/thread_ab/runs/run_1"), {"id": "run_1", "status": "requires_action"}),
    (asked(SUBMIT, OUTPUTS), {"id": "run_1", "status": "queued"}),
    (asked("GET /v1/threads/thread_ab/runs/run_1"), {"id": "run_1", "status": "completed"}),
    (asked(LIST), {"data": []}),
    (asked("GET /v1/threads/thread_ab/messages?after=msg_1"), {"data": []}),
    (asked("POST /v1/threads/thread_cd/messages", {"role": "user", "content": "And in Linz?"}), {"id": "msg_2"}),
    (asked(UPLOAD, form(), FORM), {"id": "file-1"}),
    (asked("DELETE /v1/assistants/asst_1"), {"deleted": True}),
]

NOTHING, LONG = None, "Be brief. " * 40
M, R = MESSAGE, RUN
SWAPPED = [TOOLS[1], TOOLS[0], TOOLS[2]]
DEEP = ("tools", 1, "function", "parameters", "properties", "city")
MORE = b'--b\r\nContent-Disposition: form-data; name="trace"\r\n\r\nabc123\r\n'

# name, what is asked, the first field, what is recorded there and what is asked (a part of each), the rules advised
MUTATIONS = [
    ("prompt", asked(SAY, changed(M, ("content",), "How cold is it?")), "$.content", "How warm", "How cold", ()),
    ("role", asked(SAY, changed(M, ("role",), "assistant")), "$.role", '"user"', '"assistant"', ()),
    ("extra field", asked(SAY, {**M, "stream": True}), "$.stream", NOTHING, "true", ()),
    ("missing field", asked(SAY, changed(M, ("role",), drop=True)), "$.role", '"user"', NOTHING, ()),
    ("null for missing", asked(SAY, {**M, "attachments": None}), "$.attachments", NOTHING, "null", ()),
    ("null for a value", asked(SAY, changed(M, ("content",))), "$.content", "How warm", "null", ()),
    ("type of a number", asked(SAY, changed(M, ("metadata", "n"), "1")), "$.metadata.n", "1", '"1"', ()),
    ("type of a text", asked(SAY, changed(M, ("content",), [])), "$.content", '"How', "[]", ()),
    ("object for text", asked(SAY, changed(M, ("metadata", "team"), {})), "$.metadata.team", '"weather"', "{}", ()),
    ("look-alike", asked(SAY, changed(M, ("metadata", "team"), "we\u0430ther")), "$.metadata.team", "wea", "ther", ()),
    ("white space", asked(SAY, changed(M, ("content",), M["content"] + " ")), "$.content", 'Graz?"', 'Graz? "', ()),
    ("no-break space", asked(SAY, changed(M, ("content",), "How\xa0warm is it in Graz?")), "$.content", "How", "warm", ()),
    ("letter case", asked(SAY, changed(M, ("metadata", "team"), "Weather")), "$.metadata.team", "weather", "Weather", ()),
    ("name of a field", asked(SAY, changed(changed(M, ("role",), drop=True), ("Role",), "user")), "$.role", "user", None, ()),
    ("uuid", asked(SAY, changed(M, ("metadata", "trace_id"), "0cc175b9-c0f1-46b6-a831-c399e2697726")),
     "$.metadata.trace_id", "8f14", "0cc1", ("$.metadata.trace_id",)),
    ("timestamp", asked(SAY, changed(M, ("metadata", "sent_at"), "2026-02-01T08:00:00Z")),
     "$.metadata.sent_at", "01-05", "02-01", ("$.metadata.sent_at",)),
    ("odd name", asked(SAY, changed(M, ("metadata", "trace id"), "a3ce929d0e0e4736")),
     '$.metadata["trace id"]', "4bf9", "a3ce", ('$.metadata["trace id"]',)),
    ("new trace id", asked(SAY, changed(M, ("metadata", "request_id"), "req_1")),
     "$.metadata.request_id", NOTHING, "req_1", ("$.metadata.request_id",)),
    ("no trace id", asked(SAY, changed(M, ("metadata", "trace_id"), drop=True)),
     "$.metadata.trace_id", "8f14", NOTHING, ("$.metadata.trace_id",)),
    ("two that change", asked(SAY, {**M, "metadata": {**M["metadata"], "trace_id": "t1", "sent_at": "2026-03-01"}}),
     "$.metadata.trace_id", "8f14", "t1", ("$.metadata.trace_id", "$.metadata.sent_at")),
    ("one that changes and one meant", asked(SAY, {**M, "content": "x", "metadata": {**M["metadata"], "trace_id": "t1"}}),
     "$.content", "How", '"x"', ()),
    ("model", asked(GO, {**R, "model": "gpt-4o-mini"}), "$.model", '"gpt-4o"', '"gpt-4o-mini"', ()),
    ("assistant", asked(GO, {**R, "assistant_id": "asst_2"}), "$.assistant_id", "asst_1", "asst_2", ()),
    ("number", asked(GO, {**R, "temperature": 0.5}), "$.temperature", "1", "0.5", ()),
    ("boolean for number", asked(GO, {**R, "temperature": True}), "$.temperature", "1", "true", ()),
    ("long text", asked(GO, {**R, "instructions": LONG + "Or not."}), "$.instructions", "…", "Or not.", ()),
    ("order of tools", asked(GO, {**R, "tools": SWAPPED}), "$.tools", '"temperature"', '"wind"', ()),
    ("tool added", asked(GO, {**R, "tools": [TOOLS[0], {"type": "file_search"}, *TOOLS[1:]]}),
     "$.tools[1]", NOTHING, "file_search", ()),
    ("tool removed", asked(GO, {**R, "tools": TOOLS[1:]}), "$.tools[0]", '"temperature"', NOTHING, ()),
    ("no tools", asked(GO, {**R, "tools": []}), "$.tools[0]", '"temperature"', NOTHING, ()),
    ("schema deep inside", asked(GO, changed(R, (*DEEP, "type"), "number")),
     "$.tools[1].function.parameters.properties.city.type", '"string"', '"number"', ()),
    ("choice deep inside", asked(GO, changed(R, (*DEEP, "enum", 1), "Wels")),
     "$.tools[1].function.parameters.properties.city.enum[1]", '"Linz"', '"Wels"', ()),
    ("tool output", asked(SUBMIT, changed(OUTPUTS, ("tool_outputs", 1, "output"), "4")),
     "$.tool_outputs[1].output", '"3"', '"4"', ()),
    ("order of outputs", asked(SUBMIT, {"tool_outputs": OUTPUTS["tool_outputs"][::-1]}),
     "$.tool_outputs", "call_1", "call_2", ()),
    ("limit", asked(LIST.replace("20", "50")), "query:limit", "20", "50", ("query:limit",)),
    ("no limit", asked(LIST.replace("limit=20&", "")), "query:limit", "20", NOTHING, ("query:limit",)),
    ("order of a list", asked(LIST.replace("asc", "desc")), "query:order", "asc", "desc", ()),
    ("page", asked("GET /v1/threads/thread_ab/messages?after=msg_9"), "query:after", "msg_1", "msg_9", ()),
    ("version", asked(LIST + "&api-version=v1"), "query:api-version", NOTHING, "v1", ("query:api-version",)),
    ("other run", asked("GET /v1/threads/thread_ab/runs/run_2"), "path:run_id", "run_1", "run_2", ()),
    ("other thread", asked(SAY.replace("thread_ab", "thread_x"), M), "path:thread_id", "thread_ab", "thread_x", ()),
    ("known other thread", asked(SAY.replace("thread_ab", "thread_cd"), M), "path:thread_id", "thread_ab", "thread_cd", ()),
    ("segment", asked(SAY.replace("messages", "message"), M), "path[2]", "messages", "message", ()),
    ("other assistant", asked("DELETE /v1/assistants/asst_2"), "path[1]", "asst_1", "asst_2", ()),
    ("method", asked(SAY.replace("POST", "PUT"), M), "method", "POST", "PUT", ()),
    ("thread's metadata", asked("POST /v1/threads", {"metadata": {"user": "bob"}}), "$.metadata.user", "ann", "bob", ()),
    ("file name", asked(UPLOAD, form(filename=b"other.txt"), FORM), "part[1].filename", "notes.txt", "other.txt", ()),
    ("file", asked(UPLOAD, form(data=b"cold"), FORM), "part[1].data", "warm", "cold", ()),
    ("name of a part", asked(UPLOAD, form(name=b"upload"), FORM), "part[1].name", "file", "upload", ()),
    ("part more", asked(UPLOAD, form(more=MORE), FORM), "part[2]", NOTHING, "trace", ()),
    ("no JSON", asked(SAY, b'{"role": "user'), "body", "role", "role", ()),
    ("empty body", asked(SAY), "$.role", '"user"', NOTHING, ()),
    ("content type", asked(SAY, M, ((b"Content-Type", b"text/plain"),)), "header:content-type", "json", "text/plain", ()),
    ("large body", asked(SAY, {**M, "content": "x" * (1 << 20)}), "body", "bytes", "bytes", ()),
    ("hostile text", asked(SAY, {**M, "content": "\x1b[2J\u202e"}), "$.content", "How", "\\u001b[2J\\u{202e}", ()),
    ("secret", asked(SAY, {**M, "api_key": "hunter2-and-more"}), "$.api_key", NOTHING, "REDACTED", ()),
]  # fmt: skip


@pytest.fixture(scope="module")
def recording(replay):
    answers = [Response(200, b"OK", JSON, Body.of(json.dumps(answer).encode())) for _, answer in RECORDED]
    pairs = zip(RECORDED, answers, strict=True)
    return replay.Recording([Interaction(at, at, call, answer) for at, ((call, _), answer) in enumerate(pairs)])


def miss_of(recording, request: Request) -> Miss:
    session = Session(Tape(recording))
    assert session.serve(session.tape.key_of(request)) is None
    return explain(recording, session, request)


@pytest.mark.parametrize(
    ("request_", "field", "was", "is_", "ignore"), [pytest.param(*row, id=name) for name, *row in MUTATIONS]
)
def test_a_mutation_is_named_first_with_both_values_and_the_setting(
    recording, request_, field, was, is_, ignore
) -> None:
    miss = miss_of(recording, request_)
    first = miss.nearest[0].differences[0]
    assert (miss.reason, miss.param) == ("differs", field)
    assert (first.recorded is None) == (was is None)
    assert (first.asked is None) == (is_ is None)
    assert (was or "") in (first.recorded or "")
    assert (is_ or "") in (first.asked or "")
    assert (miss.setting.ignore if miss.setting else ()) == ignore
    assert field in miss.text()
    assert safe(miss.text(), keep_newlines=True) == miss.text()
    assert "hunter2" not in miss.text() + miss.to_json().decode()
    assert max(map(len, miss.text().splitlines())) < 500
    assert len(miss.to_json()) < 20_000


@pytest.mark.parametrize(
    ("request_", "ignore"), [pytest.param(row[1], row[-1], id=row[0]) for row in MUTATIONS if row[-1]]
)
def test_the_setting_makes_it_match(recording, request_, ignore) -> None:
    tape = Tape(recording, rules=Rules.of(ignore))
    assert Session(tape).serve(tape.key_of(request_)) is not None


def test_there_are_forty() -> None:
    assert len(MUTATIONS) >= 40


def test_what_the_values_do_not_show_is_said(recording) -> None:
    told = {name: miss_of(recording, request).text() for name, request, *_ in MUTATIONS}
    assert "the same elements in another order" in told["order of tools"]
    assert "they part at U+0061 and U+0430" in told["look-alike"]
    assert "they part at U+0020 and U+00A0" in told["no-break space"]
    assert "recorded as JSON, asked as bytes without a known form" in told["no JSON"]


def test_a_repeated_and_a_skipped_write_are_told(recording) -> None:
    tape = Tape(recording)
    session = Session(tape)
    run = RECORDED[2][0]
    assert session.serve(tape.key_of(run)) is not None
    assert session.serve(tape.key_of(run)) is None
    miss = explain(recording, session, run)
    assert (miss.reason, miss.setting) == ("spent", None)
    assert "This session has passed over createThread, write 1 of 4 of thread_ab and 1 more write." in miss.message
    assert "/@NAME/" in miss.text()


@pytest.mark.parametrize("header", ["authorization", "openai-beta"])
def test_another_caller_is_told_by_the_header(replay, header: str) -> None:
    theirs = 0x20 if header == "authorization" else 0x12
    ann, bob = (
        replay.Call(SAY, {}, variant=0x11),
        replay.Call(SAY, {}, status=401, variant=theirs | 1 if theirs == 0x20 else theirs),
    )
    recording = replay.record(ann, bob)
    session = Session(Tape(recording))
    assert session.serve(ann.key, variant=ann.variant) is not None
    assert session.serve(ann.key, variant=ann.variant) is None
    miss = explain(recording, session, ann.request, variant=ann.variant)
    assert (miss.reason, miss.param) == ("other-caller", f"header:{header}")
    assert miss.setting is not None
    free = Session(Tape(recording, rules=Rules.of(miss.setting.ignore)))
    assert [free.serve(ann.key, variant=ann.variant) is not None for _ in range(3)] == [True, True, False]


def test_a_strict_replay_is_not_advised_what_would_not_help(recording) -> None:
    session = Session(Tape(recording, strict=True))
    miss = explain(recording, session, asked(LIST.replace("20", "50")))
    assert (miss.param, miss.setting) == ("query:limit", None)


def test_the_story_can_be_pasted_from(recording) -> None:
    request = next(row[1] for row in MUTATIONS if row[0] == "odd name")
    assert miss_of(recording, request).text() == (
        "No recording answers POST /threads/thread_ab/messages (createMessage)\n"
        "  where    write 1 of 4 of thread_ab\n"
        "  why      the nearest recorded request, write 2 of 4 of thread_ab, differs in 1 field\n"
        '    $.metadata["trace id"]\n'
        '      recorded  "4bf92f3577b34da6"\n'
        '      asked     "a3ce929d0e0e4736"\n'
        "  hint     What differs looks as if it changes from run to run: leave it out.\n"
        "  setting  --ignore '$.metadata[\"trace id\"]'\n"
        "           or in pyproject.toml, under [tool.respool]:  ignore = [\"$.metadata[\\\"trace id\\\"]\"]"
    )  # fmt: skip


def test_an_error_carries_its_misses(recording) -> None:
    miss = miss_of(recording, MUTATIONS[0][1])
    error = MissError([miss] * 2, count=30)
    assert error.exit_status == 1
    assert error.misses == (miss, miss)
    assert str(error).startswith(miss.text())
    assert str(error).endswith("and 28 more misses")
