"""`respool serve`: any mode, spelled out."""

import argparse
from pathlib import Path

from ..cassettes.errors import UsageError
from . import running
from .record import add_disposition, add_upstream
from .replay import add_service


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "serve",
        help="any mode, spelled out: record, replay, auto or live",
        description="record: forward and keep. replay: serve the cassette. auto: replay when the cassette is there, else record "
        "it. live: forward and keep nothing.",
    )
    parser.add_argument(
        "--mode", required=True, choices=["record", "replay", "auto", "live"], help="what to do with a call"
    )
    add_upstream(parser, required=False)
    parser.add_argument("--cassette", type=Path, metavar="FILE", help="the cassette to write or to serve")
    add_disposition(parser)
    add_service(parser)
    running.add_address(parser, port=8080)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from . import serving
    from .loop import run_server

    mode = arguments.mode
    if mode != "live" and arguments.cassette is None:
        raise UsageError(f"--mode {mode} needs a cassette", "give --cassette FILE")
    if mode == "live" and arguments.cassette is not None:
        raise UsageError("--mode live keeps nothing, so it takes no --cassette", "use --mode record to keep the calls")
    there = arguments.cassette is not None and arguments.cassette.exists()
    if mode == "auto":
        mode = "replay" if there else "record"
    if mode in {"record", "live"} and arguments.upstream is None:
        raise UsageError(f"--mode {mode} needs an upstream", "give --upstream URL, or --upstream sandbox")
    if arguments.mode == "auto":
        running.narrate(f"respool: auto: {arguments.cassette} is {'there: replay' if there else 'not there: record'}")
    main = {"record": serving.record, "replay": serving.replay, "live": serving.live}[mode]
    return run_server(lambda stop: main(arguments, stop))
