"""The summary of an interaction: what the index, lists and replay know of it without decoding it."""

from .interaction import End, Interaction
from .keys import AnswerBuilder, request_key
from .operations import READS, find_operation, split_target
from .scopes import CREATIONS, media_type, scope_hash, scope_of
from .summary import CREATES, CUT, PARTIAL, STREAM, WRITE, Summary


def summarise(interaction: Interaction, *, key: int | None = None, answer: int | None = None) -> Summary:
    """The summary of a (redacted) interaction. `key` and `answer` are computed where they are not given.

    The scope is the interaction's own, or `scope_of` where that is empty; the variant is the interaction's.
    """
    request, response = interaction.request, interaction.response
    _, path, _ = split_target(request.target)
    operation, _ = find_operation(request.method, path)
    number = operation.number if operation else 0
    return Summary(
        key=request_key(request) if key is None else key,
        scope=scope_hash(interaction.scope or scope_of(request, response)),
        answer=_answer(interaction) if answer is None else answer,
        arrival=interaction.arrival,
        started_us=interaction.started_us,
        duration_us=interaction.duration_us,
        status=response.status if response else 0,
        operation=number,
        flags=_flags(interaction, number),
        variant=interaction.variant,
    )


def _answer(interaction: Interaction) -> int:
    response = interaction.response
    builder = AnswerBuilder(response.status if response else 0)
    if response is not None:
        if 300 <= response.status < 400:
            # What a redirect tells is where it leads.
            for name, value in response.headers:
                if name.lower() == b"location":
                    builder.feed(value)
        for piece in response.body.pieces():
            builder.feed(piece)
    return builder.finish()


def _flags(interaction: Interaction, operation: int) -> int:
    response = interaction.response
    flags = 0 if interaction.request.method in READS or interaction.request_cut else WRITE
    if interaction.request_cut:
        flags |= PARTIAL
    if response is not None and (response.marks or media_type(response.headers) == b"text/event-stream"):
        flags |= STREAM
    if interaction.end is not End.COMPLETE:
        flags |= CUT
    if operation in CREATIONS:
        flags |= CREATES
    return flags
