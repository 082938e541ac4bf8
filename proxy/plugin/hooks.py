"""When things happen around a marked test, and what makes it fail.

A take begins in `pytest_runtest_setup`, after pytest has decided that the test is not skipped and before its first fixture;
it ends after the last fixture is torn down, so that a fixture may call the API on its way out. Misses are judged when the
test's body has ended without a failure of its own, and then the failure is the test's: it is raised within the call phase,
so that xfail, reruns and `--pdb` see an ordinary failure. Unplayed writes are judged at the same moment, unless fixtures of
the user's own are yet to be torn down: they may make the missing calls, so the judgement waits, and is an error at teardown.
"""

import inspect
import os
import shlex
import warnings
from collections.abc import Generator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ...cassettes.errors import CassetteError, RespoolError, UsageError
from ...cassettes.text import clip, safe
from .environment import prepare
from .names import FOLDER, session_name
from .settings import Settings, Wanted, wanted
from .takes import Take
from .usage import Usage

if TYPE_CHECKING:
    from .host import Host
    from .replaying import Shelf

FOREIGN = ("_pytest.", "respool.", "pytest_", "xdist.", "anyio.")
"""Modules of fixtures that make no calls to the API."""
NARROWING = ("keyword", "markexpr", "lf", "stepwise", "ignore", "ignore_glob", "deselect")
"""Options with which not the whole suite is collected."""
MOST_LINES = 100


@dataclass(slots=True)
class State:
    """How far the attempt of a test has come. `judged`: the misses that were told already."""

    passed: bool = False
    judged: int = 0
    closes_later: bool = False
    story: str = ""
    note: str = ""


TAKE = pytest.StashKey[Take]()
STATE = pytest.StashKey[State]()


class Hooks:
    """The plugin of one pytest run, or of one worker of it."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self._config = config
        self._settings = settings
        self._usage = Usage()
        self._shared: dict[str, list[str]] = {}
        self._notes: list[str] = []
        self._number = 0
        self._worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
        self._host: Host | None = None
        self._shelf: Shelf | None = None
        self._environment: pytest.MonkeyPatch | None = None
        self._running: Take | None = None

    def pytest_report_header(self) -> str | None:
        settings = self._settings
        if settings.mode == "replay":
            return None
        return f"respool: mode {settings.mode}, upstream {safe(settings.shown_upstream) or '(none given)'}"

    # What is collected.

    def pytest_deselected(self, items: Iterable[pytest.Item]) -> None:
        self._usage.whole = self._usage.whole and not list(items)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if not report.passed:
            self._usage.whole = False  # whatever that module's tests name is not known

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        recorders: dict[str, list[str]] = {}
        for item in session.items:
            self._usage.folders.add(str(self._settings.folder or item.path.parent / FOLDER))
            try:
                found = wanted(item, self._settings)
            except UsageError:
                continue  # told when the test runs
            if found is None:
                continue
            self._usage.named.add(str(found.path))
            if found.mode == "record" or (found.mode == "auto" and not found.path.exists()):
                recorders.setdefault(str(found.path), []).append(item.nodeid)
        self._shared = {path: nodeids for path, nodeids in recorders.items() if len(set(nodeids)) > 1}

    # One test.

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        item.stash[STATE] = State()
        try:
            found = wanted(item, self._settings)
            if found is None:
                return
            take = self._running = self._begin(found)
        except RespoolError as error:
            raise pytest.fail.Exception(_line(error), pytrace=False) from None
        item.stash[TAKE] = take
        self._environment = prepare(take.handle)

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> None:
        if fixturedef.scope == "function" and TAKE in request.node.stash and _closes_later(fixturedef):
            request.node.stash[STATE].closes_later = True

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        yield
        if TAKE in item.stash:
            _judge(item, unplayed=not item.stash[STATE].closes_later)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, None, None]:
        keep = False
        try:
            yield
            if TAKE in item.stash and item.stash[STATE].passed:
                _judge(item, unplayed=True)
                keep = True
        finally:
            self._finish(item, keep=keep)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        state = item.stash.get(STATE, None)
        if state is None:
            return report
        if call.when == "call":
            state.passed = report.passed and not hasattr(report, "wasxfail")
        if report.failed and (story := state.story or _story(item)):
            report.sections.append(("respool", story))
        if state.note:
            # An attribute of a report travels from a worker to the controller.
            vars(report)["respool_note"] = f"{item.nodeid} {state.note}"
            state.note = ""
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if note := getattr(report, "respool_note", ""):
            self._notes.append(note)

    # The end.

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        self._drop()  # an interrupted test was never torn down
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            output["respool"] = self._usage.to_json()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        sent = getattr(node, "workeroutput", {}).get("respool")
        if sent is None:
            self._usage.whole = False  # it crashed; what it ran, another one ran, but nobody says what was collected
        else:
            self._usage.add(sent)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        notes = sorted(self._notes)
        lines = [safe(note) for note in notes[:MOST_LINES]]
        if len(notes) > MOST_LINES:
            lines.append(f"and {len(notes) - MOST_LINES} more tests")
        unused = self._unused()
        if unused:
            lines.append(
                f"{len(unused)} cassettes that no test names:" if len(unused) > 1 else "1 cassette that no test names:"
            )
            lines += [f"  {safe(os.path.relpath(path, self._settings.root))}" for path in unused[:MOST_LINES]]
            if len(unused) > MOST_LINES:
                lines.append(f"  and {len(unused) - MOST_LINES} more")
        elif unused is not None and self._config.getoption("respool_unused"):
            lines.append("every cassette is named by a test")
        if lines:
            terminalreporter.section("respool")
            for line in lines:
                terminalreporter.line(line)

    def pytest_unconfigure(self) -> None:
        self._drop()
        if self._host is not None and self._shelf is not None:
            with suppress(RespoolError):
                self._host.ask(self._shelf.clear)
            self._host.stop()
            self._host = self._shelf = None

    def _begin(self, found: Wanted) -> Take:
        path = str(found.path)
        if path in self._shared:
            raise UsageError(
                f"{len(self._shared[path])} tests would record {found.shown}: "
                + ", ".join(clip(nodeid, 200) for nodeid in self._shared[path][:4]),
                "Give each a cassette of its own, or record one and let the others replay it",
            )
        record = found.mode == "record" or (found.mode == "auto" and not found.path.exists())
        if record and not self._settings.upstream:
            raise UsageError(f"recording {found.shown} needs an upstream", "--respool-upstream URL, or `sandbox`")
        if not record and not found.path.exists():
            upstream = "" if self._settings.upstream else " --respool-upstream=URL"
            command = f"pytest --respool-mode=record{upstream} {shlex.quote(found.nodeid)}"
            raise CassetteError(f"there is no cassette {found.shown}", f"Record it: {command}")
        host, shelf = self._serving()
        host.said.clear()
        self._number += 1
        session = session_name(found.path, self._worker, self._number)
        if record:
            from .recording import Recording

            return Recording(host, found, session, upstream=self._settings.upstream)
        from .replaying import Replay

        return Replay(host, shelf, found, session)

    def _serving(self) -> "tuple[Host, Shelf]":
        """The server of this process; another one where this process was forked off, which took no thread along."""
        if self._host is None or self._shelf is None or self._host.pid != os.getpid():
            with warnings.catch_warnings():
                # A suite that makes errors of warnings means its own, not those of what is loaded here.
                warnings.simplefilter("ignore")
                from .host import Host
                from .replaying import Shelf

                self._host = Host()
                self._shelf = Shelf(self._host)
        return self._host, self._shelf

    def _finish(self, item: pytest.Item, *, keep: bool) -> None:
        """End the take of a test. Fails the test when what it recorded cannot be kept."""
        take = item.stash.get(TAKE, None)
        if take is None:
            return
        state = item.stash[STATE]
        state.story = "" if keep else _story(item)
        del item.stash[TAKE]
        self._running = None
        self._restore()
        try:
            state.note = take.close(keep=keep)
        except RespoolError as error:
            state.story = state.story or _line(error)
            if keep:
                raise pytest.fail.Exception(_line(error), pytrace=False) from None

    def _drop(self) -> None:
        """End whatever take is still open, and keep nothing of it."""
        take, self._running = self._running, None
        self._restore()
        if take is not None:
            with suppress(RespoolError):
                take.close(keep=False)

    def _restore(self) -> None:
        if self._environment is not None:
            self._environment.undo()
            self._environment = None

    def _unused(self) -> list[Path] | None:
        """The cassettes that no test names; None where that cannot be told, because not the whole suite was collected."""
        config = self._config
        if hasattr(config, "workerinput") or not self._usage.folders:
            return None
        if not config.getoption("respool_unused"):
            narrowed = any(config.getoption(name, None) for name in NARROWING)
            if narrowed or not self._usage.whole or config.args_source is pytest.Config.ArgsSource.ARGS:
                return None
        return self._usage.unused()


def _judge(item: pytest.Item, *, unplayed: bool) -> None:
    """Fail a test whose calls missed, or that left recorded writes out. Called where nothing else has failed."""
    take, state = item.stash[TAKE], item.stash[STATE]
    tally = take.tally()
    name = safe(take.handle.cassette.name)
    if tally.misses > state.judged:
        state.judged = tally.misses
        miss = take.report().misses[-1]
        calls = "1 call" if tally.misses == 1 else f"{tally.misses} calls, the last of them here,"
        raise pytest.fail.Exception(
            f"{calls} missed the cassette {name}: {safe(miss.message)} {safe(miss.hint)}", pytrace=False
        )
    if unplayed and tally.unplayed:
        report = take.report()
        named = "; ".join(safe(write) for write in report.unplayed[:3])
        more = f"; and {report.unplayed_count - 3} more" if report.unplayed_count > 3 else ""
        writes = (
            "1 recorded write was" if report.unplayed_count == 1 else f"{report.unplayed_count} recorded writes were"
        )
        raise pytest.fail.Exception(
            f"{writes} never made: {named}{more} (cassette {name}; unplayed='allow' on the marker permits it)",
            pytrace=False,
        )


def _closes_later(fixturedef: pytest.FixtureDef[Any]) -> bool:
    """Whether a fixture does something when it is torn down that may call the API."""
    function = inspect.unwrap(fixturedef.func)
    if fixturedef.argname.startswith(("_xunit_", "_unittest_")):
        return True  # made by pytest, but what they run is the user's teardown_method
    if (getattr(function, "__module__", None) or "").startswith(FOREIGN):
        return False
    return (
        inspect.isgeneratorfunction(function)
        or inspect.isasyncgenfunction(function)
        or "request" in fixturedef.argnames
    )


def _story(item: pytest.Item) -> str:
    take = item.stash.get(TAKE, None)
    try:
        return take.story() if take is not None else ""
    except RespoolError as error:
        return _line(error)


def _line(error: RespoolError) -> str:
    return safe(f"respool: {error.message}" + (f". {error.hint[0].upper()}{error.hint[1:]}" if error.hint else ""))
