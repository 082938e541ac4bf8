"""`respool replay`: serve a cassette in place of the upstream that it was recorded from."""

import argparse

from . import running


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "replay",
        help="serve a cassette, or a folder of them, instead of an upstream",
        description="Serve a cassette. No connection to anywhere is opened. Prints the base URL for the client; "
        "http://HOST:PORT/@NAME/v1 is a session of its own. Of a folder, session NAME or NAME~ANYTHING is served from "
        "NAME.cassette in it. Exit status 1 if any request was not answered from the cassette.",
    )
    parser.add_argument(
        "cassette", action=running.CassetteOrFolder, metavar="FILE|DIR", help="the cassette, or the folder, to serve"
    )
    add_service(parser)
    running.add_address(parser, port=8080)
    running.add_names(parser)
    running.add_control(parser)
    running.add_verbose(parser)
    parser.set_defaults(run=run)


def add_service(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--polls",
        choices=["compress", "recorded"],
        default="compress",
        help="compress (default): serve only state changes and tell clients not to wait; recorded: every poll and header",
    )
    parser.add_argument(
        "--pace", default="instant", metavar="instant|recorded|xN", help="how fast streams are served (default instant)"
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="a read that was recorded only later in its thread is a miss, not an early answer",
    )
    running.add_rules(parser)
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="RULE",
        help="inject a fault, such as 'createRun#1: status 429' or 'run: failed' (see docs/faults.md; may be given again)",
    )
    parser.add_argument(
        "--fault-seed", type=int, default=0, metavar="N", help="what the chances of --fault are drawn from (default 0)"
    )
    running.add_idle(parser)
    parser.add_argument(
        "--no-late-binding",
        action="store_true",
        help="a thread that is created stands for the one recorded with its id, even where another was created alike",
    )


def run(arguments: argparse.Namespace) -> int:
    from .loop import run_server

    if arguments.folder:
        from ..proxy.modes import Way
        from .folders import serve_folder

        return run_server(lambda stop: serve_folder(arguments, Way.REPLAY, stop))
    from .serving import replay

    return run_server(lambda stop: replay(arguments, stop))
