"""What `export` wrote in HAR or JSON Lines, `import` makes the same cassette of."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from respool.cassettes.errors import CassetteError
from respool.cassettes.exports import FORMATS
from respool.cassettes.imports import import_files
from respool.cassettes.interaction import Body, End, Interaction, Request, Response
from respool.cassettes.reader import Reader
from respool.cassettes.secrets.finder import find
from respool.cassettes.show import render
from respool.cassettes.summaries import summarise
from respool.cassettes.writer import Writer

GOLDEN = Path(__file__).parents[2] / "fixtures" / "golden-1.cassette"
JSON = ((b"content-type", b"application/json"), (b"X-Odd", b"caf\xe9, \xff"), (b"x-odd", b""))


def exported(format_name: str, cassette: Path, to: Path, thread: str | None = None) -> Path:
    with Reader.open(cassette) as reader:
        to.write_text("".join(FORMATS[format_name](reader, thread=thread)), encoding="ascii")
    return to


def contents(cassette: Path) -> tuple[bytes, dict, list]:
    """All that a cassette says; bodies are read. The golden one's answers and operations were made up."""
    with Reader.open(cassette) as reader:
        found = [(row.summary._replace(answer=0, operation=0), reader.interaction(row)) for row in reader.rows()]
        lines = list(render(reader))
        return (
            reader.file_id,
            dict(reader.meta),
            [
                (summary, replace(each, request=_at_hand(each.request), response=_at_hand(each.response)))
                for summary, each in found
            ]
            + lines[1:],
        )  # the first line names the file


def _at_hand(side):
    return side and replace(side, body=Body.of(side.body.read()))


def recorded(path: Path, *interactions: Interaction) -> Path:
    with Writer.create(path, meta={"upstream": "https://api.example.com/v1", "odd": [1, 2.5, b"\xff", None]}) as writer:
        for interaction in interactions:
            writer.append(interaction, summarise(interaction))
    return path


def call(arrival: int = 0, body: bytes = b"{}", answer: bytes = b"{}", **more) -> Interaction:
    request = Request("POST", b"/v1/threads?a=%20b&a=[]", JSON, Body.of(body))
    response = Response(200, b"OK", JSON, Body.of(answer), head_us=1_500)
    return Interaction(arrival, 1_700_000_000_123_456 + arrival, request, response, duration_us=2_750, **more)


ODD = (
    call(0, b'{"a": 1}', b'{"id": "thread_1", "object": "thread"}', variant=2, session="one"),
    replace(call(2, b"\x00\xff\xfe", b"\x89PNG\r\n\x1a\n\x00"), end=End.UPSTREAM_CUT),
    replace(call(3, b"[]"), response=None, end=End.CLIENT_CUT),
    replace(call(7, "é\u202e\x1b[2J".encode(), b"x" * 3_000_000), request_cut=True),
    replace(call(9), response=Response(200, b"", ((b"content-type", b"text/event-stream"),), Body.of(b"data: [DONE]\n\n"),
                                       "gzip", 100, ((5, 200), (9, 300)))),
    call(10, extra={"newer": [1, "x", b"\x00"]}),
    replace(call(11, b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n\x00\xff\r\n--x--\r\n'), response=None,
            end=End.UPSTREAM_FAILED),
    replace(call(12, b"{}", b'event: a\ndata: {"id": "x"}\n\neven'), end=End.UPSTREAM_CUT),
    replace(call(13), end=End.PROXY_CUT),
)  # fmt: skip


@pytest.mark.parametrize("name", ["har", "jsonl"])
@pytest.mark.parametrize("cassette", ["golden", "odd"])
def test_a_cassette_comes_back_equal_from_its_export(tmp_path, name, cassette):
    source = GOLDEN if cassette == "golden" else recorded(tmp_path / "odd.cassette", *ODD)
    text = exported(name, source, tmp_path / f"out.{name}")
    report = import_files([text], tmp_path / "back.cassette")
    assert contents(tmp_path / "back.cassette") == contents(source)
    assert report.notes == ()


@pytest.mark.parametrize("name", ["har", "jsonl"])
@given(body=st.binary(max_size=40), answer=st.binary(max_size=40), value=st.binary(max_size=10))
def test_any_bytes_of_a_body_come_back(tmp_path_factory, name, body, answer, value):
    assume(not find(body) and not find(answer))  # what looks like a secret is taken out on the way in
    folder = tmp_path_factory.mktemp("any")
    source = recorded(folder / "a.cassette", call(0, body, answer))
    import_files([exported(name, source, folder / "a.out")], folder / "b.cassette")
    assert contents(folder / "b.cassette") == contents(source)


@pytest.mark.parametrize("name", ["har", "jsonl"])
def test_one_thread_alone_comes_back_with_its_places(tmp_path, name):
    other = call(1, b"{}", b'{"id": "thread_2", "object": "thread"}')
    source = recorded(tmp_path / "a.cassette", call(0, b"{}", b'{"id": "thread_1", "object": "thread"}'), other)
    import_files([exported(name, source, tmp_path / "one", "thread_2")], tmp_path / "b.cassette")
    with Reader.open(tmp_path / "b.cassette") as reader:
        assert [reader.interaction(row).arrival for row in reader.rows()] == [1]
        assert reader.scopes() == ["thread_2"]


def test_two_exports_together_become_a_new_recording_in_order_of_time(tmp_path):
    first = recorded(tmp_path / "1.cassette", replace(call(0), started_us=3_000_000))
    second = recorded(tmp_path / "2.cassette", replace(call(0), started_us=1_000_000))
    files = [exported("jsonl", first, tmp_path / "1.jsonl"), exported("har", second, tmp_path / "2.har")]
    report = import_files(files, tmp_path / "b.cassette")
    assert report.formats == ("respool JSON Lines", "HAR")
    with Reader.open(tmp_path / "b.cassette") as reader:
        assert [row.summary.started_us for row in reader.rows()] == [1_000_000, 3_000_000]
        assert reader.meta["imported_from"]


def test_credentials_put_into_an_export_are_taken_out_again(tmp_path):
    text = exported("jsonl", recorded(tmp_path / "a.cassette", call(0)), tmp_path / "a.jsonl")
    lines = [json.loads(line) for line in text.read_text().splitlines()]
    lines[1]["request"]["headers"].append(["Authorization", "Bearer sk-very-secret-123456"])
    text.write_text("\n".join(map(json.dumps, lines)))
    import_files([text], tmp_path / "b.cassette")
    assert b"very-secret" not in (tmp_path / "b.cassette").read_bytes()


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ("line 1", {"version": 2}),
        ("line 1", {"file_id": "00"}),
        ("line 1", {"meta": "%"}),
        ("line 2", {"arrival": -1}),
        ("line 2", {"arrival": 1 << 63}),
        ("line 2", {"end": "other"}),
        ("line 2", {"request": None}),
        ("line 2", {"key": "zz"}),
        ("line 2", {"session": "x" * 2000}),
        ("line 2", {"response": {"status": 200, "headers": [["a"]], "body": {"text": ""}}}),
        ("line 2", {"response": {"status": 200, "headers": [["a", "b\r\nc: d"]], "body": {"text": ""}}}),
        ("line 2", {"response": {"status": 200, "body": {"base64": "x"}}}),
        ("line 2", {"response": {"status": 200, "body": {}}}),
    ],
)
def test_a_line_that_no_cassette_could_say_is_refused_with_its_place(tmp_path, place, change):
    text = exported("jsonl", recorded(tmp_path / "a.cassette", call(0)), tmp_path / "a.jsonl")
    lines = [json.loads(line) for line in text.read_text().splitlines()]
    lines[int(place[-1]) - 1].update(change)
    text.write_text("\n".join(json.dumps(line) for line in lines))
    with pytest.raises(CassetteError, match=place):
        import_files([text], tmp_path / "b.cassette")
    assert not list(tmp_path.glob("b.*"))


def test_a_line_that_is_cut_is_refused(tmp_path):
    text = exported("jsonl", recorded(tmp_path / "a.cassette", call(0)), tmp_path / "a.jsonl")
    text.write_bytes(text.read_bytes()[:-10])
    with pytest.raises(CassetteError, match="not JSON"):
        import_files([text], tmp_path / "b.cassette")
