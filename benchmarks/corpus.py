"""A believable cassette of any size: `python benchmarks/corpus.py --interactions N --threads M [--seed S] OUT.cassette`.

Made by the project's own writer, in bounded memory, and deterministic: the same arguments give the same bytes (under one
version of Python and of zstd). A path goes to stdout; progress, on a terminal, to stderr.
"""

import argparse
import hashlib
import heapq
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

from respool import __version__
from respool.benchmarks import prose
from respool.benchmarks.conversation import Conversation
from respool.cassettes.errors import RespoolError, UsageError
from respool.cassettes.interaction import Interaction
from respool.cassettes.keys import variant_of
from respool.cassettes.redaction import redact
from respool.cassettes.scopes import scope_of
from respool.cassettes.summaries import summarise
from respool.cassettes.writer import Writer

BEGAN_US = 1_772_442_000_000_000
"""When the corpus says that it was recorded: 2026-03-02, 09:00 UTC."""
AT_ONCE = 32
"""Threads that are alive at the same time; their calls interleave."""
UPSTREAM = "https://api.openai.com/v1"


def generate(interactions: int, threads: int, seed: int = 0, *, streams: bool = True) -> Iterator[Interaction]:
    """Yield what a recording of so many calls in so many threads holds, in order of arrival.

    Each is redacted and complete but for its summary; without `streams` no run is streamed. Raises UsageError unless
    1 <= threads <= interactions.
    """
    if not 1 <= threads <= interactions:
        raise UsageError(f"{interactions:,} interactions cannot be in {threads:,} threads", "a thread has at least one")
    return _generate(interactions, threads, seed, streams)


def _generate(interactions: int, threads: int, seed: int, streams: bool) -> Iterator[Interaction]:
    rng = Random(f"{seed}")
    key = b"sk-proj-" + prose.token(rng, 40).encode()
    assistants = [("asst_" + prose.token(rng, 24), prose.instructions(rng)) for _ in range(6)]
    salt = file_id(seed)
    quotas = enumerate(_quotas(interactions, threads, seed))
    # (when, thread, what, how many are left, the rest): the thread's number keeps two of one moment apart.
    alive: list[tuple[int, int, Interaction, int, Iterator[Interaction]]] = []

    def begin(moment: int) -> None:
        if (following := next(quotas, None)) is not None:
            number, quota = following
            rng = Random(f"{seed}/{number}")
            calls = Conversation(rng, moment, key, assistants, streams=streams).calls()
            first = next(calls)
            heapq.heappush(alive, (first.started_us, number, first, quota - 1, calls))

    for number in range(AT_ONCE):
        begin(BEGAN_US + 350_000 * number)
    arrival = 0
    while alive:
        moment, number, call, left, calls = heapq.heappop(alive)
        if left:
            following = next(calls)
            heapq.heappush(alive, (following.started_us, number, following, left - 1, calls))
        else:
            begin(moment + 350_000)
        variant = variant_of(call.request.headers, salt)
        scope = scope_of(call.request, call.response)
        yield redact(replace(call, arrival=arrival, scope=scope, session="default", variant=variant))
        arrival += 1


def _quotas(interactions: int, threads: int, seed: int) -> Iterator[int]:
    """How many calls each thread has: 1 or more, up to twice the average, all of them together `interactions`.

    Threads come in pairs, of which one has what the other lacks.
    """
    rng = Random(f"{seed}/quotas")
    share, rest = divmod(interactions, threads)
    less = 0
    for number in range(threads):
        # An odd last thread has no partner.
        less = -less if number % 2 else rng.randrange(share) if number + 1 < threads else 0
        yield share + (number < rest) - less


def file_id(seed: int) -> bytes:
    """The id of the corpus of a seed, which also salts the classes of credentials."""
    return hashlib.blake2b(b"corpus %d" % seed, digest_size=16).digest()


def write_corpus(
    path: Path,
    interactions: int,
    threads: int,
    seed: int = 0,
    *,
    streams: bool = True,
    overwrite: bool = False,
    progress: Callable[[int], None] = lambda done: None,
) -> Path:
    """Write the cassette; `progress` is called with the number of interactions done. Raises RespoolError."""
    calls = generate(interactions, threads, seed, streams=streams)
    meta = {"created_by": f"respool {__version__} benchmarks/corpus.py, seed {seed}", "upstream": UPSTREAM}
    writer = Writer.create(
        path, meta=meta, overwrite=overwrite, clock=lambda: BEGAN_US / 1_000_000, file_id=file_id(seed)
    )
    try:
        for call in calls:
            writer.append(call, summarise(call))
            if call.arrival % 1000 == 999:
                progress(call.arrival + 1)
        return writer.close()
    except BaseException:
        writer.discard()
        raise


def _progress(total: int) -> Callable[[int], None]:
    began = time.monotonic()

    def show(done: int) -> None:
        rate = done / (time.monotonic() - began)
        print(f"\r{done:,} of {total:,} ({rate:,.0f}/s)", end="", file=sys.stderr, flush=True)

    return show if sys.stderr.isatty() else lambda done: None


def main() -> int:
    parser = argparse.ArgumentParser(description="Make a believable cassette of any size.")
    parser.add_argument("--interactions", type=int, required=True, metavar="N", help="calls in the cassette")
    parser.add_argument("--threads", type=int, required=True, metavar="M", help="threads that they belong to")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="other seeds give other calls (default 0)")
    parser.add_argument("--no-streams", dest="streams", action="store_false", help="no streamed runs, only polled ones")
    parser.add_argument("--overwrite", action="store_true", help="replace OUT if it exists")
    parser.add_argument("out", type=Path, metavar="OUT.cassette")
    chosen = parser.parse_args()
    try:
        path = write_corpus(
            chosen.out,
            chosen.interactions,
            chosen.threads,
            chosen.seed,
            streams=chosen.streams,
            overwrite=chosen.overwrite,
            progress=_progress(chosen.interactions),
        )
    except RespoolError as error:
        print(f"{error.message}\n  {error.hint}".rstrip(), file=sys.stderr)
        return error.exit_status
    finally:
        if sys.stderr.isatty():
            print(file=sys.stderr)
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
