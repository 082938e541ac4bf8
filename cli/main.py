"""The command line: finds the command, runs it, and turns errors into one clear line and an exit status.

stdout is data, stderr is narration. Exit status: 0 done; 1 it looked and found something; 2 usage; 3 the cassette;
4 the upstream or the network; 70 a fault of respool; 130 ended by a signal, with nothing half made left behind. `--help`
imports neither aiohttp nor textual.
"""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Any, NoReturn

from .. import __version__
from ..cassettes.errors import RespoolError, UsageError
from . import (
    demo,
    diff,
    doctor,
    drift,
    exporting,
    importing,
    inspect,
    ls,
    merge,
    migrate,
    pack,
    record,
    redact,
    replay,
    sandbox,
    scan,
    serve,
    setup,
    show,
    split,
    trim,
)

COMMANDS = (
    demo,
    sandbox,
    record,
    replay,
    serve,
    ls,
    show,
    inspect,
    importing,
    exporting,
    diff,
    drift,
    trim,
    split,
    merge,
    pack,
    scan,
    redact,
    migrate,
    setup,
    doctor,
)

EXIT_STATUSES = """exit status:
  0  done
  1  it looked and found something (a difference, a miss)
  2  usage: an option, an argument, a busy port
  3  the cassette: unreadable, damaged, foreign, newer, locked, or in the way
  4  the upstream or the network
  70 a fault of respool itself
  130 ended by SIGINT or SIGTERM before it was done
"""
FAULT = 70
"""What BSD's sysexits.h calls a fault of the program: none of the others, so that no script takes it for a finding."""


class _Help(argparse.HelpFormatter):
    """Options as Python 3.13 spells them, `-o, --output FILE`, whatever Python it is: the reference in the docs is one."""

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if not action.option_strings or action.nargs == 0:
            return super()._format_action_invocation(action)
        value = self._format_args(action, self._get_default_metavar_for_optional(action))
        return f"{', '.join(action.option_strings)} {value}"


class _RawHelp(_Help, argparse.RawDescriptionHelpFormatter):
    """The same, for a text whose lines stay as they are."""


class _Parser(argparse.ArgumentParser):
    """argparse, with errors in respool's own form."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{"formatter_class": _Help, **options})

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, f"`{self.prog} --help` lists what there is")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.dest == "command" and action.choices is not None and value not in action.choices:
            import difflib

            near = difflib.get_close_matches(value, list(action.choices), 1)
            meant = f"did you mean `respool {near[0]}`? " if near else ""
            raise UsageError(f"there is no command {value!r}", f"{meant}`respool --help` lists what there is")
        super()._check_value(action, value)


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands; the reference in the docs is made from it."""
    parser = _Parser(
        prog="respool",
        description="Record, replay and look at traffic of the threads API.",
        epilog=EXIT_STATUSES,
        formatter_class=_RawHelp,
    )
    parser.add_argument("--version", action="version", version=f"respool {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands", parser_class=_Parser)
    for module in COMMANDS:
        module.add(commands)
    return parser


def run(arguments: Sequence[str]) -> int:
    """Run a command line; returns the exit status."""
    try:
        try:
            return _run(arguments)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()  # here, because nobody catches what fails when Python flushes at exit
    except BrokenPipeError:
        # The reader of stdout (`| head`) has enough; what is left goes nowhere, so that the exit stays quiet too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except OSError as error:
        # A full disk behind stdout, say. Files that a command reads or writes have errors of their own.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        from ..cassettes.text import safe

        what = str(error.filename) if error.filename is not None else "the output could not be written"
        print(safe(f"respool: {_without_keys(what)}: {error.strerror or error}"), file=sys.stderr)
        return UsageError.exit_status
    except Exception as error:  # noqa: BLE001  # the last resort: Python's own traceback would quote what was worked on
        from ..cassettes.crashes import told

        print(f"respool: internal error: {told(error)}", file=sys.stderr)
        print(
            "  this is a fault of respool; the line above holds nothing of your data, so it can be reported",
            file=sys.stderr,
        )
        return FAULT


def _run(arguments: Sequence[str]) -> int:
    try:
        parser = build_parser()
        chosen, unknown = parser.parse_known_args(arguments)
        if unknown:  # here, since argparse would name the help of `respool` and not that of the command
            command = f"respool {chosen.command}" if chosen.command else "respool"
            raise UsageError(f"unrecognized arguments: {' '.join(unknown)}", f"`{command} --help` lists what there is")
        if chosen.command is None:
            parser.print_help(sys.stderr)
            return UsageError.exit_status
        if chosen.command != "inspect":  # its screen has an end of its own
            _end_alike()
        return chosen.run(chosen)
    except RespoolError as error:
        from ..cassettes.text import safe

        print(f"respool: {safe(_without_keys(error.message))}", file=sys.stderr)
        for line in filter(None, (*error.lines, error.hint)):
            print(f"  {safe(_without_keys(line))}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        return 130


def _end_alike() -> None:
    """Let SIGTERM end a command as Ctrl-C does, which removes what is half made. Servers have handlers of their own."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def _without_keys(text: str) -> str:
    """An error's line, fit for the log of a CI: what it quotes of a command line or of settings may be a key."""
    from ..cassettes.redaction import scrub_text
    from ..cassettes.secrets.cleaning import DEFAULT

    return scrub_text(text, (), DEFAULT)
