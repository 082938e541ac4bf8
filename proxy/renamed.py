"""A prepared answer with its ids written over, for a session in which they stand for others (see `cassettes.binding`).

The answer that was prepared is shared between sessions and stays as it is.
"""

from dataclasses import replace

from ..cassettes.renaming import Renaming
from . import wire
from .answer import Answer
from .prepared import LARGE, Prepared, timed_pieces


def renamed(ready: Prepared, names: Renaming) -> Prepared:
    """The answer as a session's client is to see it: headers and body, a `Content-Length` that counts what is sent."""
    response = ready.interaction.response
    body = b""
    pieces = ready.pieces
    grown = 0
    if response is not None and ready.body:
        if ready.whole is not None:
            before = ready.whole.partition(b"\r\n\r\n")[2]
            body = names.apply(before)
            grown = len(body) - len(before)
        elif response.body.length <= LARGE:
            pieces = list(names.pieces(ready.pieces))
            grown = sum(len(piece) for piece, _ in pieces) - response.body.length
        elif ready.length:
            # Not kept ready, and not held now: read once for its length, and again as it is sent.
            grown = sum(len(piece) for piece, _ in names.pieces(timed_pieces(response))) - response.body.length
    headers = [(name, _value(name, value, names, grown if ready.length else 0)) for name, value in ready.headers]
    whole = None if ready.whole is None else wire.write_head(ready.status_line, headers) + body
    return replace(ready, headers=headers, whole=whole, pieces=pieces, names=names)


def renamed_answer(answer: Answer, names: Renaming) -> Answer:
    """The same for an answer that is all there and was made for this call."""
    if not names:
        return answer
    head, _, body = answer.data.partition(b"\r\n\r\n")
    sent = names.apply(body)
    first, *lines = head.split(b"\r\n")
    pairs = [(name, value) for name, _, value in (line.partition(b": ") for line in lines)]
    headers = [(name, _value(name, value, names, len(sent) - len(body))) for name, value in pairs]
    return Answer(wire.write_head(first, headers) + sent, keep_alive=answer.keep_alive)


def _value(name: bytes, value: bytes, names: Renaming, grown: int) -> bytes:
    if name.lower() == b"content-length":
        return b"%d" % (int(value) + grown) if grown and value.isdigit() else value
    return names.apply(value)
