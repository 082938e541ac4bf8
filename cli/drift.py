"""`respool drift`: perform a cassette's writes anew against a live upstream, and say where it answers otherwise.

Differences go to stdout, one a line, all else to stderr. Exit status: 0 none; 1 there are some; 2 usage; 3 the cassette;
4 the upstream could not be reached, failed or refused the credentials; 130 a signal ended it early.
"""

import argparse
from pathlib import Path

from ..cassettes.errors import UsageError

LONGEST_TIMEOUT = 1e6


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "drift",
        help="compare a live upstream with a cassette: shape, states and errors, not prose",
        description="Perform the writes of a cassette anew against a live upstream, with its ids, wait for runs by their state, "
        "and compare what is answered with what was recorded: status codes, errors, the shape of JSON, states of runs, steps, "
        "calls of functions, events of streams. What was said, ids, times and counts do not matter. The API key is taken from "
        "OPENAI_API_KEY. Exit status 1 if there are differences.",
    )
    parser.add_argument("cassette", type=Path, metavar="CASSETTE")
    parser.add_argument(
        "--upstream",
        required=True,
        metavar="URL",
        help="the upstream, with its base path (https://host/v1), or `sandbox` for the embedded one",
    )
    parser.add_argument(
        "--thread", action="append", default=[], metavar="ID", help="perform this thread only; may be repeated"
    )
    parser.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="an id of the recording and what the upstream calls it, an assistant's for instance; may be repeated",
    )
    parser.add_argument(
        "--header",
        action="append",
        default=[],
        metavar="LINE",
        help="a header to send with each call, as 'Name: value', in place of a recorded one; may be repeated",
    )
    parser.add_argument(
        "--run-timeout",
        type=_seconds,
        default=600.0,
        metavar="SECONDS",
        help="how long a call may take, and how long a run is waited for (default 600)",
    )
    parser.add_argument(
        "--keep", action="store_true", help="leave what was created upstream; else it is deleted at the end"
    )
    parser.add_argument("--json", action="store_true", help="differences as JSON lines")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from .drifting import drift
    from .loop import run_server

    return run_server(lambda stop: drift(arguments, stop))


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= LONGEST_TIMEOUT:
        raise UsageError(f"{text!r} is no time to wait for a run", "give 0.1 to 1000000 seconds")
    return seconds
