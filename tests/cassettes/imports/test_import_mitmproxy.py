"""mitmproxy's flows: what is read, what is put in order, and what is said to be lost."""

import gzip
from pathlib import Path

import pytest
from foreign_recordings import BEGAN, CONVERSATION, Call, flow, mitmproxy, tnetstring
from respool.cassettes.errors import CassetteError
from respool.cassettes.imports import ImportReport, import_files
from respool.cassettes.interaction import End, Interaction
from respool.cassettes.reader import Reader

CALL = Call("POST", "/v1/threads", b"{}", 200, b'{ "id": "thread_1"}', headers={"X-Two": "a"})


def imported(tmp_path: Path, *flows: dict, data: bytes = b"") -> tuple[list[Interaction], ImportReport]:
    path = tmp_path / "in.flows"
    path.write_bytes(data or b"".join(map(tnetstring, flows)))
    report = import_files([path], tmp_path / "out.cassette", overwrite=True)
    with Reader.open(tmp_path / "out.cassette") as reader:
        calls = [reader.interaction(row) for row in reader.rows()]
        for call in calls:
            call.request.body.read()
            if call.response is not None:
                call.response.body.read()
        return calls, report


def altered(side: str, **more: object) -> dict:
    made = flow(CALL)
    made[side] = {**made[side], **more}  # type: ignore[dict-item]
    return made


def test_bytes_times_and_order_are_those_of_the_wire(tmp_path):
    calls, report = imported(tmp_path, data=mitmproxy(CONVERSATION))
    assert report.formats == ("mitmproxy flows",)
    for number, (call, was) in enumerate(zip(calls, CONVERSATION, strict=True)):
        assert call.response is not None
        assert (call.request.method, call.request.target.decode()) == (was.method, was.path)
        assert (call.request.body.read(), call.response.body.read()) == (was.body, was.answer)
        assert (call.response.status, call.response.reason, call.end) == (was.status, b"Fine", End.COMPLETE)
        assert call.started_us == int(BEGAN + number) * 1_000_000
        assert abs(call.response.head_us - 20_000) <= 1
        assert abs(call.duration_us - 50_000) <= 1
    assert report.notes == ("no pace of streams (1): their events have no times of their own and replay at once",)
    with Reader.open(tmp_path / "out.cassette") as reader:
        assert reader.meta["upstream"] == "https://api.example.com/v1"


def test_repeated_header_lines_bytes_beyond_ascii_and_codings_are_kept(tmp_path):
    packed = gzip.compress(CALL.answer, mtime=0)
    lines = [[b"X-A", b"1"], [b"x-a", b"caf\xe9"], [b"Content-Encoding", b"gzip"]]
    (call,), report = imported(tmp_path, altered("response", headers=lines, content=packed))
    assert call.response is not None
    assert call.response.headers[:2] == ((b"X-A", b"1"), (b"x-a", b"caf\xe9"))
    assert (call.response.coding, call.response.body.read()) == ("gzip", CALL.answer)
    assert report.notes == ()
    (call,), _ = imported(tmp_path, altered("request", path=b"/v1/caf\xe9?a=%2F&", port=8443))
    assert call.request.target == b"/v1/caf\xe9?a=%2F&"


def test_what_is_no_call_over_http_is_left_out_and_counted(tmp_path):
    others = [
        flow(CALL, type="tcp", messages=[]),
        flow(CALL, type="dns"),
        flow(CALL, websocket={"messages": []}),
        altered("request", method=b"CONNECT"),
        altered("response", status_code=101),
    ]
    calls, report = imported(tmp_path, flow(CALL), *others)
    assert len(calls) == 1
    assert "left out, being no calls over HTTP: 5 flows" in report.notes


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (End.UPSTREAM_FAILED, "server closed connection"),
        (End.CLIENT_CUT, "Client disconnected."),
        (End.CLIENT_CUT, None),
    ],
)
def test_a_call_without_an_answer_says_who_ended_it(tmp_path, end, said):
    error = None if said is None else {"msg": said, "timestamp": BEGAN + 1}
    (call,), report = imported(tmp_path, flow(CALL, response=None, error=error))
    assert (call.response, call.end) == (None, end)
    assert "no response came (1 time)" in report.notes
    assert call.duration_us == (0 if error is None else 1_000_000)


def test_a_flow_that_was_saved_twice_is_one_call(tmp_path):
    once, again = flow(CALL), flow(CALL)
    again["id"] = once["id"]
    assert len(imported(tmp_path, once, again, flow(CALL), flow(CALL, id=None))[0]) == 3


def test_what_mitmproxy_did_not_keep_is_said(tmp_path):
    cut = altered("response", content=None, timestamp_end=None)
    cut["error"] = {"msg": "peer closed connection without sending complete message body", "timestamp": BEGAN + 2}
    (call,), report = imported(tmp_path, cut)
    assert call.response is not None
    assert (call.end, call.response.body.read(), call.duration_us) == (End.UPSTREAM_CUT, b"", 2_000_000)
    assert any("body of an answer lost" in note for note in report.notes)
    _, report = imported(tmp_path, altered("request", content=None, trailers=[[b"a", b"b"]]))
    assert any("body of a request lost" in note for note in report.notes)
    assert any("trailers of a request dropped" in note for note in report.notes)


def test_older_formats_are_read_and_others_are_named_with_a_way_out(tmp_path):
    old = flow(CALL, version=4)
    for side in ("request", "response"):
        old[side] = {name: value for name, value in old[side].items() if name not in {"trailers", "authority"}}  # type: ignore[union-attr]
    del old["websocket"]
    assert len(imported(tmp_path, old)[0]) == 1
    for version, said, hint in [
        (22, "newer than 21", "hardump"),
        ([3, 0, 0], "mitmproxy 2 or older", "mitmdump -n -r"),
        (3, "mitmproxy 2 or older", "mitmdump -n -r"),
    ]:
        with pytest.raises(CassetteError, match=said) as caught:
            imported(tmp_path, flow(CALL, version=version))
        assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("said", "made"),
    [
        ("`request` is missing", flow(CALL, request=None)),
        ("`type` is missing", {"version": 21}),
        ("`version` is missing", {"type": "http"}),
        ("a map is expected", flow(CALL, request=[b"x"])),
        ("`path` is missing", altered("request", path=None)),
        ("no target of a request line", altered("request", path=b"/ HTTP/1.1\r\nx: y")),
        ("no HTTP method", altered("request", method=b"GET /x")),
        ("a list is expected", altered("request", headers={"a": b"b"})),
        ("a name and a value", altered("request", headers=[[b"a"]])),
        ("control character", altered("response", headers=[[b"a", b"b\r\nc: d"]])),
        ("a number from 100 to 599", altered("response", status_code=99)),
        ("a number from 0", flow(CALL, version="x")),
        ("control character", altered("response", reason=b"OK\r\nSet-Cookie: a")),
    ],
)
def test_a_hostile_flow_is_refused_with_its_place_and_nothing_is_left(tmp_path, said, made):
    with pytest.raises(CassetteError, match=said) as caught:
        imported(tmp_path, flow(CALL), made)
    assert "in.flows: flow 2" in caught.value.message
    assert [path.name for path in tmp_path.iterdir()] == ["in.flows"]


def test_times_that_are_no_times_do_no_harm(tmp_path):
    for odd in (float("nan"), float("inf"), -1.0, 1e300, None, b"x"):
        made = altered("request", timestamp_start=odd)
        (call,), report = imported(tmp_path, made)
        assert call.started_us == 1
        assert any("no time at all" in note for note in report.notes)


def test_a_file_that_was_cut_is_refused(tmp_path):
    whole = mitmproxy(CONVERSATION)
    cuts = [*range(1, len(whole), len(whole) // 60), len(whole) - 1]
    starts = [0]
    for each in reversed(range(len(CONVERSATION))):
        starts.append(starts[-1] + len(tnetstring(flow(CONVERSATION[each], BEGAN + each))))
    for length in cuts:
        if length in starts:
            continue
        with pytest.raises(CassetteError, match=r"in\.flows"):
            imported(tmp_path, data=whole[:length])
