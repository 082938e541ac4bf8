"""What can be taken out of the inspector: a text for the clipboard, or a file, of one call, a run or a thread.

Everything is made of what is stored, so of what was redacted; credentials are `$OPENAI_API_KEY`. Texts for the clipboard are
safe and capped. Everything here reads the cassette: it belongs into the thread that does.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from ..cassettes.amounts import counted
from ..cassettes.editing import begin, whole
from ..cassettes.errors import UsageError
from ..cassettes.exports import FORMATS, Lost
from ..cassettes.exports.destination import write
from ..cassettes.extract import Extract
from ..cassettes.reader import Reader
from ..cassettes.summaries import summarise
from ..cassettes.text import clip, safe
from ..cassettes.writer import Writer
from .live_recording import LiveRecording
from .raw import pretty, start_of
from .report import export_html

MOST_COPIED = 1 << 20
"""Characters that are put on the clipboard."""

COPIES = {
    "c": ("curl", "the calls with curl"),
    "p": ("python", "a Python script with the openai package"),
    "t": ("pytest", "a pytest test against this cassette"),
    "m": ("markdown", "the conversation as Markdown"),
    "i": ("id", "the id"),
    "b": ("body", "the body of the answer"),
}
"""The copy menu: a key, a name, and what it copies."""

EXPORTS = {
    "c": ("cassette", ".cassette"),
    "h": ("har", ".har"),
    "p": ("html", ".html"),
    "m": ("markdown", ".md"),
    "j": ("jsonl", ".jsonl"),
    "t": ("pytest", ".py"),
}
"""The export menu: a key, a format, and how its file's name ends."""


def copied(form: str, extract: Extract) -> str:
    """The text for the clipboard. Raises UsageError where there is none."""
    if form == "body":
        text = _bodies(extract)
    else:
        text = "".join(_up_to(FORMATS[form](extract), MOST_COPIED))
    if not text:
        raise UsageError("there is nothing to copy")
    return safe(text[:MOST_COPIED], keep_newlines=True)


def _up_to(pieces: Iterable[str], most: int) -> Iterator[str]:
    for piece in pieces:
        yield piece
        most -= len(piece)
        if most <= 0:
            return


def _bodies(extract: Extract) -> str:
    bodies: list[str] = []
    left = MOST_COPIED
    for row in extract.rows():
        response = extract.interaction(row).response
        if response is not None and response.body:
            bodies.append(pretty(start_of(response.body, left)))
            left -= len(bodies[-1])
        if left <= 0:
            break
    return "\n".join(bodies)


def saved(form: str, extract: Extract, reader: Reader, path: Path) -> str:
    """Write the calls to a new file; returns what was done, in words. Raises RespoolError."""
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {clip(str(path.parent), 200)}")
    calls = counted(len(extract), "call")
    if form == "cassette" and isinstance(reader, LiveRecording):
        _seen_live(extract, reader, path)
    elif form == "cassette":
        with whole(begin(path, [reader], dict(reader.meta), overwrite=False)) as writer:
            for row in extract.rows():
                writer.append(extract.interaction(row), row.summary)
    elif form == "html":
        write(export_html(extract, lost=Lost()), path)
    else:
        write(FORMATS[form](extract, lost=Lost()), path)
    return f"{calls} written to {clip(str(path), 200)}"


def _seen_live(extract: Extract, live: LiveRecording, path: Path) -> None:
    """Write the calls of a live view that have ended as a cassette of its own."""
    with whole(Writer.create(path, meta=dict(live.meta))) as writer:
        for interaction in map(extract.interaction, extract.rows()):
            if not interaction.extra.get("running"):
                writer.append(interaction, summarise(interaction))


def suggested(cassette: Path, name: str, ending: str) -> str:
    """A file name for an export: the cassette's, and of what it holds as much as is harmless in a file's name."""
    stem = cassette.name.removesuffix(".partial").removesuffix(".cassette")
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "-_") else "-" for char in name)[:60].strip(
        "-"
    )
    return f"{stem}-{plain or 'part'}{ending}"
