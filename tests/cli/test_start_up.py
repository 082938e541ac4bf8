"""What start-up costs, what `--help` promises, and what is installed."""

import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
from respool.cassettes.errors import CassetteError, RespoolError, UpstreamError, UsageError
from respool.cli.main import COMMANDS, EXIT_STATUSES

ROOT = Path(__file__).parents[2]
PRODUCT = ("cassettes", "proxy", "inspector", "cli")
HEAVY = ("aiohttp", "textual", "pydantic", "msgpack", "zstandard", "uvloop", "yaml", "jsonpath", "asyncio.base_events")


def modules_after(code: str) -> set[str]:
    """The modules that a fresh Python has imported once it ran `code`."""
    report = "import sys; sys.stderr.write('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True, timeout=30
    )
    return set(done.stderr.splitlines())


def heavy(modules: set[str], *allowed: str) -> set[str]:
    return {name for name in HEAVY if name in modules} - set(allowed)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["record", "--help"], ["show", "--help"]], ids=" ".join
)
def test_help_imports_nothing_heavy(arguments: list[str]):
    modules = modules_after(f"from respool.cli.main import run\ntry: run({arguments!r})\nexcept SystemExit: pass")
    assert "respool.cli.main" in modules
    assert heavy(modules, "asyncio.base_events") == set()


def test_importing_respool_imports_nothing_heavy():
    assert heavy(modules_after("import respool")) == set()


def test_looking_at_a_cassette_imports_no_http_and_no_screen(cassette: Path):
    code = f"from respool.cli.main import run\nfor name in ('ls', 'show'): assert run([name, {str(cassette)!r}]) == 0"
    assert {"aiohttp", "textual", "uvloop"} & modules_after(code) == set()


def test_the_first_screen_waits_for_nothing_that_it_does_not_need():
    code = "import respool.inspector.app, respool.inspector.keymap, respool.cli.attaching, respool.cassettes.reader"
    modules = modules_after(code)
    assert heavy(modules, "textual", "msgpack", "zstandard", "asyncio.base_events") == set()
    later = ("inspector.stories", "cassettes.filters", "cassettes.conversation", "cassettes.comparison", "proxy")
    assert {f"respool.{name}" for name in later} & modules == set()


def test_version_and_help_are_data(respool):
    version = respool("--version")
    assert (version.returncode, version.stderr) == (0, "")
    assert re.fullmatch(r"respool \d+\.\d+\.\d+\n", version.stdout)
    help_ = respool("--help")
    assert (help_.returncode, help_.stderr) == (0, "")
    for name in ("demo", "sandbox", "record", "replay", "serve", "ls", "show", "import"):
        assert re.search(rf"^    {name} ", help_.stdout, re.MULTILINE)


def test_every_command_has_help(respool):
    names = re.findall(r"^    ([a-z]+) ", respool.inside("--help").stdout, re.MULTILINE)
    assert len(names) == len(COMMANDS)
    for name in names:
        done = respool.inside(name, "--help")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"usage: respool {name} ")


def test_the_exit_statuses_in_the_help_are_those_of_the_errors():
    said = {int(number): text for number, text in re.findall(r"^  (\d)  (.+)$", EXIT_STATUSES, re.MULTILINE)}
    assert set(said) == {0, 1, 2, 3, 4}
    assert (RespoolError.exit_status, UsageError.exit_status) == (1, 2)
    assert (CassetteError.exit_status, UpstreamError.exit_status) == (3, 4)
    assert said[2].startswith("usage")
    assert said[3].startswith("the cassette")
    assert said[4].startswith("the upstream")


def declared() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]


def test_the_wheel_holds_the_product_and_nothing_else():
    """Packages are listed by name: a folder that is not listed would be missing, and tests must not be installed."""
    folders = {file.parent.relative_to(ROOT) for name in PRODUCT for file in (ROOT / name).rglob("*.py")}
    expected = {"respool"} | {".".join(("respool", *folder.parts)) for folder in folders}
    assert set(declared()["packages"]) == expected
    assert all((ROOT / folder / "__init__.py").is_file() for folder in folders)


def test_files_that_are_no_modules_are_installed_too():
    patterns = declared()["package-data"]
    others = [
        file
        for name in PRODUCT
        for file in (ROOT / name).rglob("*")
        if file.is_file() and file.suffix not in {".py", ".pyc"}
    ]
    for file in [*others, ROOT / "py.typed"]:
        package = ".".join(("respool", *file.parent.relative_to(ROOT).parts))
        assert any(fnmatch(file.name, pattern) for pattern in patterns.get(package, [])), file
