"""JSON Lines: a line about the cassette, then one interaction a line; `respool import` makes an equal cassette of it.

The schema is told in docs/export.md. All is ASCII, so that a line can be printed.
"""

import json
from collections.abc import Iterator

from ..editing import Progress
from .fields import VERSION, packed, whole
from .selection import Lost, Source, selected

FORMAT = "respool-jsonl"


def export_jsonl(
    source: Source, *, thread: str | None = None, lost: Lost | None = None, progress: Progress | None = None
) -> Iterator[str]:
    del lost  # nothing is
    chosen = selected(source, thread, progress)
    upstream = source.meta.get("upstream")
    head = {
        "format": FORMAT,
        "version": VERSION,
        "file_id": source.file_id.hex(),
        "upstream": upstream if isinstance(upstream, str) else "",
        "meta": packed(source.meta),
    }
    yield json.dumps(head, separators=(",", ":")) + "\n"
    for row, interaction in chosen:
        yield json.dumps(whole(interaction, row), separators=(",", ":")) + "\n"
