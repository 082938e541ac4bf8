"""`respool serve`: any mode, spelled out."""

import argparse

from ..cassettes.errors import UsageError
from . import running
from .record import add_disposition, add_upstream
from .redacting import add_redaction
from .replay import add_service

REPLAY_ONLY = "polls", "pace", "strict", "fault_seed", "session_idle", "no_late_binding"
"""Options that say how recorded calls are served."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "serve",
        help="any mode, spelled out: record, replay, auto or live",
        description="record: forward and keep. replay: serve the cassette. auto: replay when the cassette is there, else record "
        "it. live: forward and keep nothing. With a folder of cassettes, each session has the cassette of its name.",
    )
    parser.add_argument(
        "--mode", required=True, choices=["record", "replay", "auto", "live"], help="what to do with a call"
    )
    add_upstream(parser, required=False)
    parser.add_argument(
        "--cassette",
        action=running.CassetteOrFolder,
        metavar="FILE|DIR",
        help="the cassette to write or to serve; a folder of them when it is one, or ends with /",
    )
    add_disposition(parser)
    add_service(parser)
    add_redaction(parser)
    running.add_address(parser, port=8080)
    running.add_names(parser)
    running.add_control(parser)
    running.add_verbose(parser)
    parser.set_defaults(run=run, ungiven={name: parser.get_default(name) for name in REPLAY_ONLY})


def run(arguments: argparse.Namespace) -> int:
    from ..proxy import modes
    from . import serving
    from .loop import run_server

    mode = arguments.mode
    missing: bool = arguments.cassette is None
    if mode != "live" and missing:
        raise UsageError(f"--mode {mode} needs a cassette", "give --cassette FILE")
    if mode == "live" and not missing:
        raise UsageError("--mode live keeps nothing, so it takes no --cassette", "use --mode record to keep the calls")
    if mode == "live" and (arguments.append or arguments.overwrite):
        raise UsageError(
            "--mode live keeps nothing, so it adds to nothing and replaces nothing", "leave the option out"
        )
    if arguments.fault and mode in {"record", "live"}:
        raise UsageError(
            f"--mode {mode} injects no faults", "--fault is for a replay; the sandbox has scripts for its own"
        )
    if mode in {"record", "live"}:
        _refuse_replay_options(arguments, mode)
    if arguments.durable and mode in {"replay", "live"}:
        raise UsageError(f"--mode {mode} records nothing, so --durable says nothing", "use it with record or auto")
    if mode == "live":
        decided = mode
    else:
        way = modes.way_of(mode, append=arguments.append, overwrite=arguments.overwrite)
        if arguments.folder:
            from .folders import serve_folder

            if mode == "record":
                _need_upstream(arguments, mode)
            return run_server(lambda stop: serve_folder(arguments, way, stop))
        found = modes.look(arguments.cassette)
        found.close()
        decided = modes.decide(way, found).mode
    if decided != "replay":
        _need_upstream(arguments, mode)
    if mode == "auto":
        said = "there" if decided == "replay" else "not there"
        running.narrate(f"respool: auto: {arguments.cassette} is {said}: {decided}")
    main = {"record": serving.record, "replay": serving.replay, "live": serving.live}[decided]
    return run_server(lambda stop: main(arguments, stop))


def _refuse_replay_options(arguments: argparse.Namespace, mode: str) -> None:
    """Raise UsageError for an option that says how recorded calls are served, where none are."""
    for name, ungiven in arguments.ungiven.items():
        if name == "session_idle" and mode == "record" and arguments.folder:
            continue  # a session of a folder ends after a while whatever is done with its calls
        if getattr(arguments, name) != ungiven:
            option = "--" + name.replace("_", "-")
            raise UsageError(f"--mode {mode} serves no recorded calls, so {option} says nothing", "leave it out")
    if mode == "live" and (arguments.ignore or arguments.match_header):
        option = "--ignore" if arguments.ignore else "--match-header"
        raise UsageError(f"--mode live looks nothing up and keeps nothing, so {option} says nothing", "leave it out")


def _need_upstream(arguments: argparse.Namespace, mode: str) -> None:
    if arguments.upstream is None:
        what = (
            f"{arguments.cassette} is not there, so --mode auto records it and" if mode == "auto" else f"--mode {mode}"
        )
        raise UsageError(f"{what} needs an upstream", "give --upstream URL, or --upstream sandbox")
