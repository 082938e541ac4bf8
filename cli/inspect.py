"""`respool inspect`: a cassette, or a running proxy, on the screen, to look around in."""

import argparse
import sys
from pathlib import Path


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "inspect",
        help="look around in a cassette, or in a running proxy, on the screen",
        description="Threads, their runs and calls on the left; on the right a run's waterfall, and panels: the conversation, "
        "tool calls, raw bytes, differences, what was redacted. Of a cassette it only reads. With the URL or the control socket "
        "of a running proxy, or with nothing where just one is running, it shows what comes as it comes. The keys: ? shows "
        "them, q quits.",
    )
    parser.add_argument(
        "cassette",
        nargs="?",
        metavar="CASSETTE|URL|SOCKET",
        help="what to look at; by default the proxy that is running",
    )
    parser.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="the token of a control API on a port, where RESPOOL_CONTROL_TOKEN does not hold it",
    )
    parser.add_argument(
        "--through",
        default="",
        metavar="URL",
        help="the proxy through which r sends a call again (default: the one that is looked at)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from ..cassettes.errors import UsageError
    from ..cassettes.reader import Reader
    from .attaching import proxy_of

    named = arguments.cassette
    connect = proxy_of(named, arguments.token_file)
    if connect is not None:
        with connect() as client:
            client.snapshot()  # whatever is wrong with it is said before there is a screen
    # Textual draws on stderr.
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise UsageError(
            "respool inspect draws on a terminal, and this is none",
            "docs/control.md says how scripts look at a proxy"
            if connect is not None
            else f"respool show {named} prints the same as text",
        )
    if connect is not None:
        from ..inspector.keymap import keymap_for
        from ..inspector.live import LiveInspector

        live = LiveInspector(connect, keymap_for(Path("live")))
        live.through = arguments.through
        live.run()
        return live.return_code or 0
    with Reader.open(Path(named)) as reader:
        from ..inspector.app import Inspector
        from ..inspector.keymap import keymap_for

        inspector = Inspector(reader, keymap_for(Path(named)))
        inspector.through = arguments.through
        inspector.run()
        return inspector.return_code or 0
