"""A stream is known as one however it begins and ends its lines, and its texts are joined each for itself."""

import json

import pytest
from respool.cassettes.secrets.cleaning import DEFAULT
from respool.cassettes.secrets.finder import edited
from respool.cassettes.secrets.streams import is_stream, texts_of

KEY = "ghp_aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zaB3dE5"


def event(piece: str, index: int = 0) -> bytes:
    call = {"index": index, "type": "function", "function": {"arguments": piece}}
    return b"event: thread.run.step.delta\ndata: " + json.dumps({"id": "step_1", "calls": [call]}).encode() + b"\n\n"


def told(data: bytes, field: str = "arguments") -> list[str]:
    """Each text of a stream, joined."""
    return [
        b"".join(data[start:end] for start, end in places).decode()
        for (_, _, name, _), places in texts_of(data).items()
        if name == field.encode()
    ]


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


def test_what_is_no_stream_is_not_taken_for_one():
    assert not is_stream(b'{"data: ": "event:"}')
    assert not is_stream(b"event: but no more")
