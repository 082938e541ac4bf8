"""Write the parts of the docs that come from the program: the commands, the modes, the filters, the keys and the pictures.

`python docs/generate.py` writes all but the pictures; `--check` only compares them, for the tests. `--picture` takes the pictures
anew: they show a real run, with its timings, so that no two are equal. But that of the page is of `docs/demo.cassette`, which is
kept, so that the page is the same each time; the picture holds the digest of the page that it shows. It needs Chromium
(`tests/e2e/system-packages.sh`).
"""

import argparse
import hashlib
import io
import shutil
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

from respool.cassettes.fields import table_as_markdown as fields_as_markdown
from respool.cassettes.operations import table_as_markdown as operations_as_markdown
from respool.cassettes.secrets.table import table_as_markdown as secrets_as_markdown
from respool.cli.main import build_parser
from respool.inspector.keys import markdown as keys_as_markdown
from respool.proxy.modes import table_as_markdown

DOCS = Path(__file__).parent
REFERENCE = DOCS / "commands.md"
PICTURE = DOCS / "demo.svg"
PAGE = DOCS / "report.png"
RECORDING = DOCS / "demo.cassette"
PAGE_SIZE = (1440, 900)
DIGEST = b"respool-page"
"""The keyword under which a picture holds the digest of its page (PNG, 11.3.4.3)."""
BROWSER = (
    "chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars --window-size={},{} "
    "--run-all-compositor-stages-before-draw --virtual-time-budget=4000"
)
MODES = DOCS / "modes.md"
FAULTS = DOCS / "faults.md"
FILTERS = DOCS / "filters.md"
SECRETS = DOCS / "secrets.md"
INSPECTOR = DOCS / "inspector.md"
SCREEN = DOCS / "inspector.svg"
BEGIN, END = "<!-- made by docs/generate.py -->\n", "<!-- end of what is made -->\n"


def reference() -> str:
    """docs/commands.md: the help of each command, as the parser prints it at 100 columns."""
    parser = build_parser()
    parts = ["# Commands\n\nMade from the program by `make docs`.\n", block("respool", parser)]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            parts += [block(f"respool {name}", sub) for name, sub in action.choices.items()]
    return "\n".join(parts)


def with_table(page: Path, table: str) -> str:
    """A page whose one made part is made anew."""
    before, _, rest = page.read_text().partition(BEGIN)
    return before + BEGIN + table + END + rest.partition(END)[2]


def pages() -> dict[Path, str]:
    """The pages that hold something made, as they should be."""
    tables = {
        MODES: table_as_markdown(),
        FAULTS: operations_as_markdown(),
        FILTERS: fields_as_markdown(),
        SECRETS: secrets_as_markdown(),
        INSPECTOR: keys_as_markdown(),
    }
    return {REFERENCE: reference()} | {page: with_table(page, table) for page, table in tables.items()}


def block(title: str, parser: argparse.ArgumentParser) -> str:
    parser.formatter_class = _wide(parser.formatter_class)
    return f"## `{title}`\n\n```text\n{parser.format_help().rstrip()}\n```\n"


def _wide(formatter: type) -> type:
    class Wide(formatter):
        def __init__(self, prog: str, **options: object) -> None:
            super().__init__(prog, width=100, max_help_position=32)

    return Wide


def picture() -> str:
    """docs/demo.svg: a real run of the demo and the beginning of `respool show`."""
    from rich.console import Console
    from rich.text import Text

    with tempfile.TemporaryDirectory() as folder:
        respool = [sys.executable, "-m", "respool"]
        demo = subprocess.run([*respool, "demo"], cwd=folder, capture_output=True, text=True, check=True).stdout
        show = subprocess.run(
            [*respool, "show", "demo.cassette"], cwd=folder, capture_output=True, text=True, check=True
        ).stdout
    console = Console(record=True, width=118, file=io.StringIO(), force_terminal=True)
    for prompt, output, most in (("make demo", demo, 80), ("respool show demo.cassette", show, 32)):
        console.print(Text(f"$ {prompt}", style="bold green"))
        lines = output.rstrip().split("\n")
        for line in lines[:most]:
            console.print(Text(line), no_wrap=True, overflow="ellipsis")
        if len(lines) > most:
            console.print(Text(f"… {len(lines) - most} more lines", style="dim"))
        console.print()
    return console.export_svg(title="respool")


def page_text() -> str:
    """The page that docs/report.png shows."""
    from respool.cassettes.reader import Reader
    from respool.inspector.report import export_html

    with Reader.open(RECORDING) as reader:
        return "".join(export_html(reader))


def page() -> bytes:
    """docs/report.png: the page of the recording that is kept, in light, with the page's digest in it."""
    text = page_text()
    with tempfile.TemporaryDirectory() as folder:
        shown, taken = Path(folder) / "demo.html", Path(folder) / "taken.png"
        shown.write_text(text, encoding="utf-8")
        options = [
            f"--user-data-dir={folder}/profile",
            "--blink-settings=preferredColorScheme=1",
            f"--screenshot={taken}",
            shown.as_uri(),
        ]
        command = [*BROWSER.format(*PAGE_SIZE).split(), *options]
        subprocess.run(command, capture_output=True, check=True, timeout=120)
        return with_digest(taken.read_bytes(), digest(text))


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def with_digest(png: bytes, told: str) -> bytes:
    """A picture that holds a digest, in a chunk of text before its end."""
    chunk = b"tEXt" + DIGEST + b"\0" + told.encode()
    sized = (len(chunk) - 4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    return png[:-12] + sized + png[-12:]


def digest_in(png: bytes) -> str:
    """The digest of the page that a picture shows; empty where it holds none."""
    _, found, rest = png.rpartition(b"tEXt" + DIGEST + b"\0")
    return rest[:64].decode("ascii", "replace") if found else ""


def screen() -> str:
    """docs/inspector.svg: the inspector on the cassette of a real run of the demo, with its first run chosen."""
    import asyncio

    from respool.cassettes.reader import Reader
    from respool.inspector.app import Inspector

    async def looked_at(path: Path) -> str:
        with Reader.open(path) as reader:
            app = Inspector(reader)
            async with app.run_test(size=(120, 36), notifications=True) as pilot:
                for key in ("", "down", "down", "m", "down", "right", "down"):
                    if key:
                        await pilot.press(key)
                    while app.desk.busy:
                        await pilot.pause(0.01)
                await pilot.pause(0.1)
                return app.export_screenshot(title="respool inspect demo.cassette", simplify=True)

    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "respool", "demo"], cwd=folder, capture_output=True, check=True)
        return asyncio.run(looked_at(Path(folder) / "demo.cassette"))


if __name__ == "__main__":
    if "--check" in sys.argv:
        stale = [str(page) for page, text in pages().items() if page.read_text() != text]
        sys.exit(f"out of date: {', '.join(stale)}: run make docs" if stale else 0)
    for page, text in pages().items():
        page.write_text(text)
    if "--picture" in sys.argv:
        PICTURE.write_text(picture())
        SCREEN.write_text(screen())
        if not shutil.which("chromium"):
            sys.exit("no chromium: docs/report.png is left as it was")
        PAGE.write_bytes(page())
