"""The page, put together: head and policy, summary, the list of threads, each thread, and the page's script.

Threads are read one after the other and wait in a file without a name until the summary above them is known, so memory is
that of the largest thread. The same cassette gives the same bytes.
"""

import base64
import hashlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from string import Template
from typing import TextIO

from ...cassettes.amounts import counted
from ...cassettes.conversation import Conversation, Message, Recorded, Run
from ...cassettes.exports import Lost, Source
from ...cassettes.exports.selection import known
from ...cassettes.folding import fold
from ...cassettes.sightings import Sightings
from ...cassettes.text import clip
from ..timeline import timeline_of
from .assets import asset
from .calls import Room, calls_of
from .markup import inert, line, symbol, took
from .talk import is_problem, run_us, talk

MOST_THREADS = 2_000
"""Threads in one page; `--thread` takes any other."""
MOST_WRITTEN = 32_000_000
"""Characters of the page after which no further thread is begun: a browser opens as much in some seconds."""
MOST_PROBLEMS = 100
_PIECE = 1 << 16

Progress = Callable[[int, int], None]


@dataclass
class Totals:
    """What the summary says of the whole page."""

    threads: int = 0
    runs: int = 0
    tokens: int = 0
    written: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)
    problem_count: int = 0
    links: list[str] = field(default_factory=list)
    room: Room = field(default_factory=Room)


def export_html(
    source: Source, *, thread: str | None = None, lost: Lost | None = None, progress: Progress | None = None
) -> Iterator[str]:
    """The page in pieces. Raises UsageError where there is no such thread. `progress` is told threads done and in all."""
    lost = Lost() if lost is None else lost
    known(source, thread)
    scopes = [thread] if thread is not None else sorted(source.scopes(), key=lambda scope: scope.startswith("/"))
    totals = Totals()
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n") as waiting:
        done = 0
        for scope in scopes[:MOST_THREADS]:
            if totals.written > MOST_WRITTEN:
                break
            done += 1
            for piece in _thread(source, scope, done, totals, lost):
                totals.written += len(piece)
                waiting.write(piece)
            if progress is not None:
                progress(done, min(len(scopes), MOST_THREADS))
        left_out = len(scopes) - done
        lost["threads beyond the first; --thread ID takes one"] += left_out
        lost["bodies shortened"] += totals.room.bodies_cut
        lost["bodies that found no room; --thread ID makes some"] += totals.room.bodies_out
        lost["exchanges that found no room; --thread ID makes some"] += totals.room.calls_out
        yield from _page(source, totals, left_out, waiting)


def policy(style: str, script: str) -> str:
    """The Content-Security-Policy: this style, this script, images in the page itself, and nothing else."""

    def source(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    return (
        f"default-src 'none'; style-src {source(style)}; script-src {source(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _page(source: Recorded, totals: Totals, left_out: int, waiting: TextIO) -> Iterator[str]:
    style, script = asset("report.css"), asset("report.js")
    name = clip(source.path.name.removesuffix(".partial").removesuffix(".cassette"), 200)
    rows = list(_ends(source))
    parts = {
        "policy": policy(style, script),
        "name": line(name),
        "style": style,
        "script": script,
        "symbols": asset("symbols.svg"),
        "facts": "".join(_facts(source, totals, rows)),
        "about": "".join(_about(source, left_out, totals)),
        "problems": "".join(_problems(totals)),
        "links": "".join(totals.links),
    }
    before, _, after = asset("page.html").partition("$threads")
    yield Template(before).substitute(parts)
    waiting.seek(0)
    while piece := waiting.read(_PIECE):
        yield piece
    yield after


def _ends(source: Recorded) -> Iterator[tuple[int, int]]:
    """When calls began and ended, as far as it is known."""
    first = last = 0
    for row in source.rows():
        started = row.summary.started_us
        if started:
            first = min(first, started) if first else started
            last = max(last, started + row.summary.duration_us)
    if first:
        yield first, last


def _facts(source: Recorded, totals: Totals, ends: list[tuple[int, int]]) -> Iterator[str]:
    facts = [("calls", f"{len(source):,}"), ("threads", f"{totals.threads:,}"), ("runs", f"{totals.runs:,}")]
    facts.append(("tokens", f"{totals.tokens:,}" if totals.tokens else "–"))
    for first, last in ends:
        facts.append(("lasted", took(last - first)))
        facts.append(("recorded", _date(first)))
    for word, value in facts:
        yield f"<div><dt>{word}</dt><dd>{value}</dd></div>"


def _date(us: int) -> str:
    try:
        return f"{datetime.fromtimestamp(us // 1_000_000, UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError, OSError):
        return "–"


def _about(source: Recorded, left_out: int, totals: Totals) -> Iterator[str]:
    if isinstance(upstream := source.meta.get("upstream"), str) and upstream:
        yield f'<p class="fine">Recorded from {line(upstream)}</p>'
    if "imported_from" in source.meta:
        yield '<p class="fine">Imported: times are as exact as the file that they come from.</p>'
    if not source.sealed:
        yield f'<p class="warning">{symbol("bad")}The cassette was not closed cleanly: this is what is whole.</p>'
    room = totals.room
    outs = [
        counted(number, noun)
        for number, noun in (
            (left_out, "thread"),
            (room.calls_out, "exchange"),
            (room.bodies_out, "body" if room.bodies_out == 1 else "bodie"),
        )
        if number
    ]
    if outs:
        yield f'<p class="warning">{symbol("half")}Not in this page: {", ".join(outs)}. '
        yield "<code>respool export --html --thread ID</code> makes a page of one thread.</p>"


def _problems(totals: Totals) -> Iterator[str]:
    if not totals.problem_count:
        yield f'<p class="well">{symbol("ok")}Nothing failed in this recording.</p>'
        return
    more = totals.problem_count - len(totals.problems)
    opened = " open" if totals.problem_count <= 5 else ""
    yield f'<details class="problems"{opened}><summary>{symbol("bad")}{counted(totals.problem_count, "problem")}</summary><ul>'
    for anchor, what in totals.problems:
        yield f'<li><a href="#{anchor}">{line(what, 200)}</a></li>'
    yield f"<li>and {more:,} more</li></ul></details>" if more else "</ul></details>"


def _thread(source: Source, scope: str, number: int, totals: Totals, lost: Lost) -> Iterator[str]:
    rows = source.rows_of_scope(scope)
    sightings = Sightings()
    calls = calls_of(source, rows, sightings, totals.room, number)
    conversation = fold(source, scope)
    lost["messages, runs and notes beyond the first"] += conversation.left_out
    anchor = f"t{number}"
    runs = [entry for entry in conversation.entries if isinstance(entry, Run)]
    problems = _take_problems(conversation, anchor, totals)
    totals.threads += conversation.is_thread
    totals.runs += len(runs)
    tokens = sum(run.tokens[2] for run in runs if run.tokens is not None)
    totals.tokens += tokens
    label = _label(conversation)
    facts = [counted(len(runs), "run")] if runs else []
    facts += [counted(tokens, "token")] if tokens else []
    falls = [(timeline_of(run, sightings), run) for run in runs]
    lasting = sum(fall.length_us if fall is not None else run_us(run) for fall, run in falls)
    facts += [took(lasting)] if lasting else []
    facts.append(counted(conversation.calls, "call"))
    wrong = f'<span class="wrong">{symbol("bad")}{counted(problems, "problem")}</span>' if problems else ""
    totals.links.append(
        f'<li><a href="#{anchor}" data-thread="{anchor}"><span class="label" dir="auto">{line(label)}</span>'
        f'<span class="sub">{" · ".join(facts)}{wrong}</span><span class="hits"></span></a></li>'
    )
    yield f'<section class="thread" id="{anchor}" tabindex="-1" aria-labelledby="{anchor}-name"><div class="talk">'
    yield f'<header class="top"><h2 id="{anchor}-name" dir="auto">{line(label)}</h2>'
    yield f'<p class="fine"><code>{line(scope)}</code> {" · ".join(facts)}{wrong}</p></header>'
    for piece in talk(conversation, sightings, anchor):
        lost["texts shortened"] += piece.count('<span class="cut">')  # no foreign text can hold it
        yield piece
    yield '</div><aside class="calls" aria-label="Exchanges of this thread"><h3>Exchanges</h3>'
    yield f"<ol>{''.join(calls.rows)}</ol></aside>"
    yield f'</section><script type="application/json" id="{anchor}-data">{inert(calls.data)}</script>\n'


def _take_problems(conversation: Conversation, anchor: str, totals: Totals) -> int:
    count = 0
    for place, entry in enumerate(conversation.entries):
        if what := is_problem(entry):
            count += 1
            if len(totals.problems) < MOST_PROBLEMS:
                totals.problems.append((f"{anchor}-{place}", what))
    totals.problem_count += count
    return count


def _label(conversation: Conversation) -> str:
    """The first thing that was said, else the thread's id."""
    for entry in conversation.entries:
        if isinstance(entry, Message) and (text := entry.text[:400].strip()):
            return clip(" ".join(text.split()), 120)
    return clip(conversation.scope, 120)
