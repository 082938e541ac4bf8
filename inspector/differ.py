"""Two rows of the list, or two cassettes, compared: threads and runs by what they mean, calls by their text.

By meaning is `cassettes/comparison`: ids and times do not count. Of two calls the request lines, the headers and the bodies
are set out as text and put one above the other where they differ.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ..cassettes.comparison import compare
from ..cassettes.comparison.alignment import anchors
from ..cassettes.comparison.findings import Finding
from ..cassettes.conversation import Recorded
from ..cassettes.extract import Extract
from ..cassettes.interaction import Interaction
from ..cassettes.reader import Reader
from ..cassettes.text import clip
from .document import Document, Line
from .ink import Ink
from .raw import MAX_BODY, set_out, start_of
from .watched import Abandoned, Watched

MOST_LINES = 4_000
"""Lines of each call that are compared."""
MOST_FINDINGS = 2_000
_AROUND = 3
"""Equal lines that are shown beside a change."""


def by_meaning(left: Extract, right: Extract, names: tuple[str, str]) -> Document:
    """What differs between two threads or two runs."""
    one, other = (extract.scopes() for extract in (left, right))
    if not one or not other:
        return Document((Line(0, (("One of the two has no calls.", "bad"),)),))
    if one[0].startswith("/") or other[0].startswith("/"):
        return Document(
            (Line(0, (("Only threads and runs have a meaning to compare; mark two of their calls instead.", "wait"),)),)
        )
    return _findings(compare(left, right, only=[(one[0], other[0])]), names)


def with_cassette(path: Path, recording: Recorded, wanted: Callable[[], bool]) -> Document | None:
    """What the recording has that the cassette at `path` has not, and the other way; None once `wanted` says no.

    Reads both. Raises CassetteError where there is no cassette.
    """
    with Reader.open(path) as reader:
        try:
            findings = compare(Watched(reader, wanted), Watched(recording, wanted))
        except Abandoned:
            return None
        document = _findings(findings, (str(path), str(recording.path)))
        return (
            Document((Line(0, ((clip(reader.warning, 500), "wait"),)), *document.lines)) if reader.warning else document
        )


def _findings(findings: Sequence[Finding], names: tuple[str, str]) -> Document:
    lines = list(_head(names))
    if not findings:
        lines.append(Line(0, (("✓ They say the same; ids and times aside.", "good"),)))
        return Document(tuple(lines))
    lines.append(
        Line(0, ((f"{len(findings):,} difference{'' if len(findings) == 1 else 's'}, ids and times aside", "strong"),))
    )
    for finding in findings[:MOST_FINDINGS]:
        lines.append(Line())
        for number, text in enumerate(finding.text().split("\n")):
            bare = text.lstrip(" ")
            ink = (
                "name"
                if number == 0
                else "bad"
                if bare.startswith("-  ")
                else "good"
                if bare.startswith("+  ")
                else "dim"
            )
            lines.append(Line(len(text) - len(bare), ((bare, ink),), hang=3))
    if len(findings) > MOST_FINDINGS:
        lines.append(Line(0, ((f"… {len(findings) - MOST_FINDINGS:,} more", "wait"),)))
    return Document(tuple(lines))


def by_text(left: Interaction, right: Interaction, names: tuple[str, str] | None = None) -> Document:
    """What differs between two calls, line by line, with `-` for the first and `+` for the second."""
    texts = [list(_text(call)) for call in (left, right)]
    ones, others = (lines[:MOST_LINES] for lines in texts)
    lines = list(_head(names or (f"call {left.arrival:,}", f"call {right.arrival:,}")))
    changes = list(_changes(ones, others))
    if all(kind == " " for kind, _ in changes):
        lines.append(Line(0, (("✓ They are equal to the letter.", "good"),)))
        return Document(tuple(lines))
    near = _near(changes)
    skipped = 0
    for at, (kind, text) in enumerate(changes):
        if at not in near:
            skipped += 1
            continue
        if skipped:
            lines.append(Line(0, ((f"  ⋯ {skipped:,} equal line{'' if skipped == 1 else 's'}", "dim"),)))
            skipped = 0
        ink: Ink = "bad" if kind == "-" else "good" if kind == "+" else ""
        lines.append(Line(0, ((f"{kind} ", ink), (clip(text, 2_000), ink)), hang=4))
    if skipped:
        lines.append(Line(0, ((f"  ⋯ {skipped:,} equal lines", "dim"),)))
    if any(len(each) > MOST_LINES for each in texts):
        lines.append(Line(0, (("… the rest is too long to be compared here", "wait"),)))
    return Document(tuple(lines))


def _head(names: tuple[str, str]) -> Iterator[Line]:
    yield Line(0, (("- ", "bad"), (clip(names[0], 200), "strong")))
    yield Line(0, (("+ ", "good"), (clip(names[1], 200), "strong")))
    yield Line()


def _text(call: Interaction) -> Iterator[str]:
    request, response = call.request, call.response
    yield clip(f"{request.method} ", 40) + clip(request.target, 2_000)
    yield from (clip(name.lower() + b": " + value, 2_000) for name, value in request.headers)
    yield from set_out(start_of(request.body, MAX_BODY)).split("\n")
    if response is not None:
        yield f"answer {response.status}"
        yield from (clip(name.lower() + b": " + value, 2_000) for name, value in response.headers)
        yield from set_out(start_of(response.body, MAX_BODY)).split("\n")


def _changes(ones: list[str], others: list[str]) -> Iterator[tuple[str, str]]:
    start = other_start = 0
    for at, to in [*sorted(anchors(ones, others).items()), (len(ones), len(others))]:
        yield from (("-", text) for text in ones[start:at])
        yield from (("+", text) for text in others[other_start:to])
        if at < len(ones):
            yield " ", ones[at]
        start, other_start = at + 1, to + 1


def _near(changes: list[tuple[str, str]]) -> set[int]:
    return {
        near for at, (kind, _) in enumerate(changes) if kind != " " for near in range(at - _AROUND, at + _AROUND + 1)
    }
