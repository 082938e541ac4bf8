"""The house itself: what is packaged, what start-up imports, and that the docs say what the program does."""

import argparse
import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
FLOORS = ("cassettes", "proxy", "inspector", "cli")
MODULES = [path.relative_to(ROOT) for floor in FLOORS for path in sorted((ROOT / floor).rglob("*.py"))]


def test_every_product_folder_is_packaged_and_nothing_else():
    folders = {".".join(("respool", *path.parent.parts)) for path in MODULES} | {"respool"}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == folders


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_every_module_opens_with_its_contract_and_is_no_longer_than_it_should_be(path):
    lines = (ROOT / path).read_text().splitlines()
    assert lines[0].startswith('"""')
    assert len(lines) <= 350
    assert path.stem not in {"utils", "util", "helpers", "helper", "common", "misc"}


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_only_the_door_and_the_command_line_write_to_a_terminal(path):
    if path.parts[0] == "cli":
        return
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called != "print", f"{path}:{node.lineno}"
            assert not called.startswith(("sys.stdout", "sys.stderr")), f"{path}:{node.lineno}"


CIRCLES = {
    # modules that import each other, if only for types: why they may
    "proxy/sandbox/listeners.py": "a run knows who hears of it, and each of them in which shape runs are told",
    "proxy/sandbox/performance.py": "a thread knows what is performed in it, and that changes the thread",
    "proxy/sandbox/shapes.py": "as the listeners",
    "proxy/sandbox/store.py": "as both",
    "proxy/sandbox/wording.py": "a part of the performance",
}


def test_modules_import_each_other_in_no_circle_but_the_known_ones():
    known = set(MODULES)
    imports = {path: {each for each in imported(path) if each in known and each != path} for path in MODULES}
    while ends := {path for path in imports if not imports[path] or not any(path in each for each in imports.values())}:
        imports = {path: each - ends for path, each in imports.items() if path not in ends}
    assert {str(path) for path in imports} == CIRCLES.keys()


def imported(path):
    """The modules that a module names in its relative imports, wherever they stand in it."""
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            module = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            inside = [module / each.name for each in node.names]
            for found in [module, *inside] if node.module else inside:
                yield Path(f"{found}.py")
                yield found / "__init__.py"


def test_the_package_can_be_used_without_http_or_a_screen():
    code = (
        "import sys, respool, respool.cassettes.reader, respool.cassettes.writer, respool.cassettes.positions\n"
        "print(*sorted({'aiohttp', 'textual', 'uvloop'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/")
    assert done.stdout.strip() == ""


def test_the_command_reference_is_what_the_program_prints():
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_command_is_in_the_guide_or_a_page_of_its_own():
    from respool.cli.main import build_parser

    docs = "".join(path.read_text() for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
    guide = docs.replace((ROOT / "docs" / "commands.md").read_text(), "")
    (commands,) = [
        action.choices for action in build_parser()._actions if isinstance(action, argparse._SubParsersAction)
    ]
    assert [name for name in commands if f"respool {name}" not in guide] == []


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
)
def test_links_within_the_docs_lead_somewhere(page):
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if "://" not in target:
            assert ((ROOT / page).parent / target).exists(), target


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))])
def test_what_is_installed_is_a_checkout_since_no_index_has_the_package(page):
    for said in re.findall(r"pip install (?:-\S+ )*'?([^\s'`)]+)", (ROOT / page).read_text()):
        assert said.startswith(("/path/to/this/checkout", "/src")), said


PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "THREAT_MODEL.md")]


@pytest.mark.parametrize("page", [*PAGES, *(ROOT / "docs").glob("*.md")], ids=lambda page: page.name)
def test_tables_and_headings_are_read_as_such(page):
    """A row behind an empty line is no row, and a heading right under a text is hard to see."""
    lines = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL).split("\n")
    for before, line, after in zip(["", *lines], lines, [*lines[1:], ""], strict=False):
        if line.startswith("|") and not before.startswith("|"):
            assert re.fullmatch(r"\|[ :|-]+\|?", after), line
        assert not (line.startswith("#") and before), line


@pytest.mark.parametrize(
    ("extra", "module"), [("import", "cassettes/imports/yaml_source.py"), ("web", "cli/inspect.py")]
)
def test_where_an_extra_is_missing_the_error_names_what_can_be_installed_and_not_a_package_that_is_on_no_index(
    extra, module
):
    (wanted,) = PROJECT["project"]["optional-dependencies"][extra]
    assert f"pip install '{wanted}'" in (ROOT / module).read_text()


def test_readme_names_both_commands_and_make_has_them():
    readme, makefile = (ROOT / "README.md").read_text(), (ROOT / "Makefile").read_text()
    for command in ("demo", "test"):
        assert f"make {command}" in readme
        assert re.search(rf"^{command}:", makefile, re.MULTILINE)
