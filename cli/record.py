"""`respool record`: forward calls to an upstream and keep them in a cassette."""

import argparse
from pathlib import Path

from ..cassettes.errors import UsageError
from . import running
from .redacting import add_redaction


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "record",
        help="forward calls to an upstream and record them",
        description="Forward calls to an upstream, byte for byte and at once, and keep them in a new cassette. "
        "Prints the base URL for the client; SIGINT or SIGTERM ends the recording and seals the cassette.",
    )
    add_upstream(parser, required=True)
    parser.add_argument("--cassette", required=True, type=Path, metavar="FILE", help="the cassette to write")
    add_disposition(parser)
    running.add_rules(parser)
    add_redaction(parser)
    add_tail(parser)
    running.add_address(parser, port=8080)
    running.add_names(parser)
    running.add_control(parser)
    running.add_verbose(parser)
    parser.set_defaults(run=run)


def add_upstream(parser: argparse.ArgumentParser, *, required: bool) -> None:
    parser.add_argument(
        "--upstream",
        required=required,
        metavar="URL",
        help="where calls go, with the base path that clients use (https://host/v1), or `sandbox` for the embedded one",
    )


def add_disposition(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--append", action="store_true", help="add to an existing cassette")
    group.add_argument("--overwrite", action="store_true", help="replace an existing cassette")
    parser.add_argument(
        "--durable",
        action="store_true",
        help="wait for the disk after each call, beside the traffic, so that a loss of power takes the last moments only",
    )


def add_tail(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the tail of a thread anew")
    group.add_argument(
        "--tail",
        type=int,
        metavar="N",
        help="replay a thread of the cassette up to its write N, perform those writes upstream with the client's "
        "credentials, and record what follows anew; needs --output or --overwrite",
    )
    group.add_argument("--thread", metavar="ID", help="the thread, where the cassette holds more than one")
    group.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the result there")
    group.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="an id of the recording and what the upstream calls it, an assistant's for instance; may be repeated",
    )


def run(arguments: argparse.Namespace) -> int:
    from ..proxy import modes
    from .loop import run_server
    from .serving import record

    if arguments.tail is not None:
        _check_tail(arguments)
        from .tailing import tail

        return run_server(lambda stop: tail(arguments, stop))
    if arguments.thread or arguments.output or arguments.map:
        raise UsageError("--thread, --output and --map go with --tail", "give --tail N, or leave them out")
    found = modes.look(arguments.cassette)
    found.close()
    modes.decide(modes.way_of("record", append=arguments.append, overwrite=arguments.overwrite), found)
    return run_server(lambda stop: record(arguments, stop))


def _check_tail(arguments: argparse.Namespace) -> None:
    if arguments.append:
        raise UsageError("--tail replaces what follows in its thread, so it does not go with --append")
    if arguments.output is None and not arguments.overwrite:
        raise UsageError(
            "--tail needs a place for its result", "give --output FILE, or --overwrite to replace the cassette"
        )
