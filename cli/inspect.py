"""`respool inspect`: a cassette, or a running proxy, on the screen, to look around in."""

import argparse
import gc
import os
import select
import signal
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from .running import narrate, port_number

WEB_DRIVER = "textual.drivers.web_driver:WebDriver"
"""By which textual-serve has an inspector draw on a page: `TEXTUAL_DRIVER`."""


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
    parser.add_argument(
        "--web",
        action="store_true",
        help="show it in a browser instead: prints a link that works once, on 127.0.0.1 alone; wants the extra `web`",
    )
    parser.add_argument(
        "--port",
        type=port_number,
        default=0,
        metavar="N",
        help="with --web, the port to listen on; 0 takes a free one (default 0)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from ..cassettes.errors import UsageError
    from ..cassettes.reader import Reader
    from .attaching import proxy_of

    named = arguments.cassette
    connect = proxy_of(named, arguments.token_file)
    # What is wrong with what is named is said before there is a screen, or a page.
    if connect is not None:
        with connect() as client:
            client.snapshot()
    if arguments.web:
        if connect is None:
            Reader.open(named).close()
        _keymap(named if connect is None else "live")
        return _in_browser(arguments)
    # Textual draws on stderr.
    terminal = all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))
    if not terminal and os.environ.get("TEXTUAL_DRIVER") != WEB_DRIVER:
        raise UsageError(
            "respool inspect draws on a terminal, and this is none",
            "docs/control.md says how scripts look at a proxy"
            if connect is not None
            else f"respool show {named} prints the same as text, respool inspect --web shows it in a browser",
        )
    with ExitStack() as opened:
        _hurry()
        from ..inspector.app import Inspector

        if connect is None:
            reader = opened.enter_context(Reader.open(named))
            inspector = Inspector(reader, _keymap(named))
        else:
            from ..inspector.live import LiveInspector

            inspector = LiveInspector(connect, _keymap("live"))
        inspector.through = arguments.through
        gc.freeze()
        gc.enable()
        watch = threading.Thread(target=_end_with_terminal, daemon=True)
        if not terminal:
            watch = threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True)
        watch.start()
        inspector.run()
        return inspector.return_code or 0


def _keymap(named: str) -> dict[str, str]:
    from ..inspector.keymap import keymap_for

    return keymap_for(Path(named))


def _in_browser(arguments: argparse.Namespace) -> int:
    from ..cassettes.errors import UsageError
    from .loop import Stop, run_server

    try:
        from ..inspector.web import serve
    except ImportError as error:
        raise UsageError(
            f"--web wants what is not installed: {error.name}", "pip install 'textual-serve>=1.1,<1.2'"
        ) from error
    named = arguments.cassette
    words = [] if named is None else [str(Path(named).absolute()) if Path(named).exists() else named]
    for option, value in (("--token-file", arguments.token_file), ("--through", arguments.through)):
        words += [option, str(value)] if value else []

    out = sys.stdout

    def ready(link: str) -> None:
        print(link, flush=True, file=out)
        narrate("respool: open this link in a browser of this machine; it works once. Ctrl-C ends it.")

    async def main(stop: Stop) -> int:
        await serve(words, arguments.port, ready=ready, say=narrate, wait=stop.wait)
        return 0

    return run_server(main)


def _end_with(parent: int) -> None:
    """End when the server of the page is gone, however it went: Textual does not notice."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)


def _end_with_terminal() -> None:
    """End when the terminal is gone. Textual would try to read from it for ever; only the owner of a terminal gets a signal."""
    gone = select.poll()
    gone.register(sys.stdin.fileno(), 0)  # of a terminal that hangs up one hears unasked
    gone.poll()
    os.kill(os.getpid(), signal.SIGTERM)


def _hurry() -> None:
    """Draw soon, and also while the cassette is read. To be called before Textual is imported, which reads the variable once."""
    os.environ.setdefault("TEXTUAL_FPS", "480")  # what is drawn waits for the next of these moments
    # What is loaded stays: to go through all of it again and again would stop the screen for a tenth of a second each time.
    gc.disable()
    sys.setswitchinterval(0.001)  # by default, the thread that reads would keep the screen waiting for 5 ms at a time
