"""A key that a stream tells in pieces, in the forms in which servers send them."""

import json

KEY = "ghp_aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zaB3dE5"


def pieces(text: str = KEY, step: int = 3) -> list[str]:
    return [text[start : start + step] for start in range(0, len(text), step)]


def data_of(value: object) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def pretty(value: object) -> bytes:
    """An event whose object stands in several lines."""
    return b"".join(b"data: " + line + b"\n" for line in json.dumps(value, indent=1).encode().split(b"\n")) + b"\n"


def message(piece: str, name: str = "msg_1", **more: object) -> dict[str, object]:
    return {"id": name, "delta": {"content": [{"index": 0, "text": {**more, "value": piece}}]}}


STREAMS = {
    "a byte order mark": b"\xef\xbb\xbf" + b"".join(data_of(message(each)) for each in pieces()),
    "another id in each event": b"".join(data_of(message(each, f"e{n}")) for n, each in enumerate(pieces())),
    "an id in the first event alone": b"".join(
        data_of({**({} if n else {"id": "call_1"}), "arguments": each}) for n, each in enumerate(pieces())
    ),
    "an id behind the piece": b"".join(data_of({"delta": each, "id": f"e{n}"}) for n, each in enumerate(pieces())),
    "a note in some events": b"".join(
        data_of(message(each, **({"text": "a source"} if n % 2 else {}))) for n, each in enumerate(pieces())
    ),
    "objects in several lines, two messages by turns": b"".join(
        pretty(message(each)) + pretty(message("other", "msg_2")) for each in pieces()
    ),
    "thoughts": b"".join(data_of({"delta": {"reasoning_content": each}}) for each in pieces()),
    "strings": b"".join(data_of(each) for each in pieces()),
    "words": b"".join(b"data: " + each.encode() + b"\n\n" for each in pieces()),
    "no blank lines": b"".join(data_of(message(each))[:-1] for each in pieces()),
    "a field that nobody knows": b"x-from: here\n" + b"".join(data_of(message(each)) for each in pieces()),
    "an object a line": b"".join(data_of(message(each))[6:-1] for each in pieces()),
    "an object a line, with CRLF": b"".join(data_of(message(each))[6:-2] + b"\r\n" for each in pieces()),
    "a sequence of JSON texts": b"".join(b"\x1e" + data_of(message(each))[6:-1] for each in pieces()),
}
