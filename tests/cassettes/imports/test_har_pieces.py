"""A HAR too long to be held as values at once is read entry by entry, and comes out as a short one does."""

import json

import pytest
from respool.cassettes.errors import CassetteError
from respool.cassettes.imports import har_pieces, json_source
from respool.cassettes.imports.har_pieces import pieces_of
from respool.cassettes.imports.importer import import_files
from respool.cassettes.reader import Reader

TRICKY = {
    "entries": [{"no": "entry"}],
    "pages": [{"log": {"entries": [{"nor": "this"}]}}],
    "comment": '"entries": [{"in": "a text \\" ]}"}]',
}


def entry(number: int, **more) -> dict:
    return {
        "startedDateTime": f"2026-01-02T03:04:{number:02}Z",
        "time": 1,
        "request": {"method": "POST", "url": f"https://api.test/v1/threads?n={number}", "headers": [], **more},
        "response": {"status": 200, "statusText": "OK", "headers": [], "content": {"text": '{"id": "thread_a]}"}'}},
    }


def har(*entries: object) -> dict:
    log = {
        "version": "1.2",
        "pages": TRICKY["pages"],
        "comment": TRICKY["comment"],
        "entries": list(entries),
        "z": [{}],
    }
    return {"entries": TRICKY["entries"], "log": log, "more": {"log": {"entries": [{}]}}}


def texts(data: bytes) -> list[object]:
    pieces = pieces_of(data)
    assert pieces is not None
    return [json.loads(data[begin:end]) for begin, end in pieces.entries]


@pytest.mark.parametrize("indent", [None, 2])
def test_the_pieces_are_the_entries_and_the_rest_is_the_file_without_them(indent):
    entries = [entry(1), {}, entry(2, deep={"log": {"entries": [{"a": [{}]}]}})]
    data = json.dumps(har(*entries), indent=indent).encode()
    assert texts(data) == entries
    pieces = pieces_of(data)
    assert pieces is not None
    assert json.loads(pieces.rest) == har()


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b'{"log": {"entries": {}}}', b'{"log": [{"entries": [{}]}]}', b'{"entries": [{}]}', b'{"log": {"entries": [{}',
     b'{"log": {"entries": ["' + b'\\"' * 1_000_000 + b"\\", b"{" * 1_000_000, b"}" * 1_000_000],
    ids=range(9),
)  # fmt: skip
def test_what_has_no_such_list_has_no_pieces(data):
    assert pieces_of(data) is None


def test_a_list_longer_than_an_import_takes_has_no_pieces(monkeypatch):
    monkeypatch.setattr(har_pieces, "MOST_ENTRIES", 3)
    assert pieces_of(json.dumps(har({}, {}, {})).encode()) is not None
    assert pieces_of(json.dumps(har({}, {}, {}, {})).encode()) is None


def test_a_long_file_comes_out_as_a_short_one(tmp_path, monkeypatch):
    web_socket = entry(4)
    web_socket["request"]["url"] = "wss://api.test/x"
    (tmp_path / "a.har").write_text(json.dumps(har(entry(3), entry(1), web_socket, entry(2))))
    import_files([tmp_path / "a.har"], tmp_path / "short.cassette")
    monkeypatch.setattr(json_source, "MOST_BYTES", 800)
    import_files([tmp_path / "a.har"], tmp_path / "long.cassette")
    calls = []
    for name in ("short", "long"):
        with Reader.open(tmp_path / f"{name}.cassette") as reader:
            calls.append([reader.interaction(row) for row in reader.rows()])
            assert reader.meta["notes"] == ["left out, being no calls over HTTP: 1 entry"]
    assert [call.request.target for call in calls[0]] == [b"/v1/threads?n=%d" % number for number in (1, 2, 3)]
    assert [(call.request, call.started_us, call.response.body.read()) for call in calls[0]] == [
        (call.request, call.started_us, call.response.body.read()) for call in calls[1]
    ]


def test_an_entry_that_is_itself_too_long_is_refused(tmp_path, monkeypatch):
    (tmp_path / "a.har").write_text(json.dumps(har(entry(1), entry(2, comment="x" * 2000))))
    monkeypatch.setattr(json_source, "MOST_BYTES", 1000)
    with pytest.raises(CassetteError, match="are read at most"):
        import_files([tmp_path / "a.har"], tmp_path / "a.cassette")
    assert [path.name for path in tmp_path.iterdir()] == ["a.har"]
