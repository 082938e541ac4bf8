"""A stream is known as one however it begins and ends its lines, and its texts are joined each for itself."""

import base64
import json

import pytest
from respool.cassettes.secrets.cleaning import DEFAULT
from respool.cassettes.secrets.finder import edited
from respool.cassettes.secrets.streams import is_stream
from streamed_forms import KEY, STREAMS, data_of, message, pieces


def event(piece: str, index: int = 0) -> bytes:
    call = {"index": index, "type": "function", "function": {"arguments": piece}}
    return b"event: thread.run.step.delta\ndata: " + json.dumps({"id": "step_1", "calls": [call]}).encode() + b"\n\n"


def told(data: bytes, field: str = "arguments") -> list[str]:
    """What a client reads of each text of a stream, by its index."""
    texts: dict[tuple[str, int], str] = {}
    for line in data.replace(b"\r", b"\n").split(b"\n"):
        if line.startswith(b"data:"):
            value = json.loads(line[5:])
            for call in value["calls"]:
                key = value["id"], call["index"]
                texts[key] = texts.get(key, "") + call["function"][field]
    return list(texts.values())


@pytest.mark.parametrize("head", [b"", b"\n\n", b" \n", b"retry: 100\n\n", b": hello\n\n", b"\xef\xbb\xbf", b"id: 1\n"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_key_in_pieces_goes_however_the_stream_begins_and_ends_its_lines(head, end):
    data = (head + b"".join(map(event, KEY))).replace(b"\n", end)
    kept = edited(data, DEFAULT.edits(data, []))
    assert told(data) == [KEY]
    assert told(kept) == ["REDACTED"]
    assert kept.count(end) == data.count(end)


def test_two_tool_calls_that_come_by_turns_are_two_texts():
    other = json.dumps({"password": "open sesame, please, and not too slowly"})
    pairs = zip(KEY, other.ljust(len(KEY)), strict=False)
    data = b"".join(event(one) + event(two, 1) for one, two in pairs)
    kept = told(edited(data, DEFAULT.edits(data, [])))
    assert kept[0] == "REDACTED"
    assert "sesame" not in kept[1]


@pytest.mark.parametrize("form", STREAMS)
def test_a_key_in_pieces_goes_in_every_form_that_servers_stream_in(form):
    data = STREAMS[form]
    kept = edited(data, DEFAULT.edits(data, []))
    assert kept.count(b"REDACTED") == 1
    assert len(kept) == len(data) - len(KEY) + len("REDACTED")
    assert kept.count(b"\n") == data.count(b"\n")


def test_base64_that_comes_in_pieces_is_read():
    said = base64.b64encode(b'{"n": 1, "key": "' + KEY.encode() + b'", "and": "more"}').decode()
    data = b"".join(map(event, pieces(said)))
    kept = told(edited(data, DEFAULT.edits(data, [])))[0]
    assert base64.b64decode(kept) == b'{"n": 1, "key": "REDACTED", "and": "more"}'


def test_what_two_events_say_whole_is_left_as_it_is():
    data = data_of(message("the key is ghp_")) + data_of({"id": "msg_2", "content": [{"text": {"value": KEY[4:]}}]})
    assert DEFAULT.edits(data, []) == []


@pytest.mark.parametrize(
    "body", [b'{\n  "a": {}\n}', b'{"a": 1}\n[2]', b"{}", b'{"a": 1}\n', b'[{"a": 1},\n{"a": 2}]', b"{,\n{"]
)
def test_one_object_is_no_stream_however_it_is_laid_out(body):
    assert not is_stream(body)


def test_what_is_no_stream_is_not_taken_for_one():
    assert not is_stream(b'{"data: ": "event:"}')
    assert not is_stream(b"event: but no more")
