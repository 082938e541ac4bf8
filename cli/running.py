"""What the serving commands share when they are parsed: address options, the ready line and narration."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..cassettes.errors import UsageError
from ..cassettes.text import safe


def narrate(text: str) -> None:
    """One line on stderr, with the indented lines of a story behind it. Everything foreign in it is made visible first.

    Any other line break is foreign: nothing that is told can begin a line of its own.
    """
    try:
        print("\n  ".join(map(safe, text.split("\n  "))), file=sys.stderr, flush=True)
    except OSError:
        pass  # nobody listens to stderr any more; that is no reason to fail a call


def ready(url: str) -> None:
    """The one line on stdout of a server: the base URL for the client."""
    print(url, flush=True)


def progress_of(doing: str, things: str = "calls") -> Callable[[int, int], None] | None:
    """Reports of long work, on one line of stderr that is written over; None where stderr is no terminal."""
    if not sys.stderr.isatty():
        return None

    def report(done: int, total: int) -> None:
        end = "" if done < total else "\n"
        print(f"\r{doing} {done:,} of {total:,} {things}", end=end, file=sys.stderr, flush=True)

    return report


def clear_progress() -> None:
    """Take a report of progress off the line of the terminal that is written next."""
    print(f"\r{'':79}\r", end="", file=sys.stderr, flush=True)


def add_address(parser: argparse.ArgumentParser, *, port: int) -> None:
    parser.add_argument(
        "--port",
        type=port_number,
        default=port,
        metavar="N",
        help=f"port to listen on; 0 takes a free one (default {port})",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address to listen on (default 127.0.0.1); with another, everybody who reaches it can use the port",
    )


def add_names(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        type=_host_name,
        metavar="NAME",
        help="a name under which clients call this port, where it is not localhost or the address of --host: that of a "
        "container, say; NAME:PORT for one port; may be repeated",
    )


def add_verbose(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--verbose",
        action="store_true",
        help="say on stderr of each call what became of it: a hit, a miss, recorded; one line a call, without secrets",
    )


def add_control(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--control",
        default="",
        metavar="PATH|HOST:PORT|off",
        help="where `respool inspect` and scripts look on: by default a Unix socket that only you can open; on HOST:PORT with "
        "a token, that of RESPOOL_CONTROL_TOKEN or one that is drawn and told on stderr",
    )


def _host_name(text: str) -> str:
    from ..proxy.doors import host_name

    return host_name(text)


def add_rules(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--ignore",
        action="append",
        default=[],
        metavar="RULE",
        help="what of a request does not count when it is looked up: $.json.path, query:NAME, header:NAME or "
        "multipart:NAME; may be repeated, and a recording keeps it",
    )
    parser.add_argument(
        "--match-header",
        action="append",
        default=[],
        metavar="NAME",
        help="a header that counts when a request is looked up; may be repeated, and a recording keeps it",
    )


def port_number(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number <= 65535:
        raise UsageError(f"{text!r} is not a port", "ports are 0 to 65535; 0 takes a free one")
    return number


class CassetteOrFolder(argparse.Action):
    """Stores a path as `cassette`, and as `folder` whether it names a folder of cassettes: one that is there, or ends with /."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option: str | None = None,
    ) -> None:
        namespace.cassette = Path(str(values))
        namespace.folder = str(values).endswith("/") or namespace.cassette.is_dir()


def add_idle(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--session-idle",
        type=_seconds,
        default=3600.0,
        metavar="SECONDS",
        help="drop a session that was not used for so long; it begins anew when it comes back (default 3600)",
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 1e7:
        raise UsageError(f"{text!r} is no time to be idle", "give 0.1 to 10000000 seconds")
    return seconds
