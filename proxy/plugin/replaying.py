"""The replay of a test's cassette. Cassettes stay open from test to test, as many as SHELF, while their files stay the same."""

from collections import OrderedDict
from pathlib import Path

from ...cassettes.amounts import counted
from ...cassettes.errors import CassetteError
from ...cassettes.faults import Faults
from ...cassettes.matching import Matching
from ...cassettes.reader import Reader
from ...cassettes.reports import Report
from ...cassettes.settings import settings_for
from ...cassettes.text import safe
from ..pace import Pace
from ..replay import Replayer
from .host import Host
from .options import Options
from .settings import Wanted
from .takes import UNHEARD, Handle, Tally

SHELF = 32
MOST_TOLD = 20
"""Misses, and unplayed writes, that a test's report section tells in full."""

Place = tuple[Path, tuple[int, int, int], Options]


class Shelf:
    """Open cassettes, the one used longest ago closed first. Used on the server's loop."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._open: OrderedDict[Place, tuple[Reader, Replayer]] = OrderedDict()

    def replayer(self, wanted: Wanted) -> Replayer:
        """The replay that a test asks for. Raises RespoolError for what cannot be opened or is not asked for rightly."""
        pace = Pace.parse(wanted.options.pace)
        try:
            status = wanted.path.stat()
        except OSError as error:
            raise CassetteError(f"{wanted.path} cannot be read: {error.strerror}") from None
        place = (wanted.path, (status.st_ino, status.st_mtime_ns, status.st_size), wanted.options)
        found = self._open.get(place)
        if found is None:
            reader = Reader.open(wanted.path)
            try:
                if reader.warning:
                    self._host.said.append(f"respool: {reader.warning}")
                found = reader, self._made(reader, wanted.options, pace)
            except BaseException:
                reader.close()
                raise
            self._open[place] = found
            if len(self._open) > SHELF:
                self._open.popitem(last=False)[1][0].close()
        self._open.move_to_end(place)
        return found[1]

    def _made(self, reader: Reader, options: Options, pace: Pace) -> Replayer:
        settings = settings_for(
            reader.path, ignore=options.ignore, match_headers=options.match_headers, notes=reader.meta
        )
        matching = Matching(
            polls="recorded" if options.polls == "recorded" else "compress",
            strict=options.strict,
            rules=settings.rules,
            late_binding=options.late_binding,
        )
        faults = Faults(options.faults, seed=options.fault_seed) if options.faults else None
        return Replayer(reader, matching=matching, pace=pace, faults=faults, narrate=self._host.said.append)

    async def clear(self) -> None:
        """Close them all."""
        while self._open:
            self._open.popitem()[1][0].close()


class Replay:
    """A take that answers from the cassette and never opens a connection."""

    def __init__(self, host: Host, shelf: Shelf, wanted: Wanted, session: str) -> None:
        self._host = host
        self._session = session
        self._wanted = wanted
        self._closed = False

        async def begin() -> Replayer:
            replayer = shelf.replayer(wanted)
            host.library.open(session, replayer)
            return replayer

        self._replayer = host.ask(begin)
        self.handle = Handle(
            f"{host.url}/@{session}{self._replayer.base or '/v1'}", session, wanted.path, "replay", self
        )

    def tally(self) -> Tally:
        async def count() -> Tally:
            session = self._replayer.player(self._session).session
            return Tally(session.misses, session.unplayed if self._wanted.unplayed == "fail" else 0)

        return self._host.ask(count)

    def report(self) -> Report:
        async def look() -> Report:
            return self._replayer.report(self._session)

        return self._host.ask(look)

    def story(self) -> str:
        report = self.report()
        played = f"{counted(report.exact, 'call')} answered as recorded, {report.held} held, {report.ahead} ahead"
        short = f"misses: {report.miss_count}; recorded writes not made: {report.unplayed_count}"
        lines = [f"replay of {self._wanted.shown}, session {self._session}: {played}; {short}"]
        if not (report.exact or report.held or report.ahead or report.miss_count or self._wanted.options.faults):
            lines.append(UNHEARD)
        lines += [f"miss: {miss.text()}" for miss in report.misses[:MOST_TOLD]]
        if report.miss_count > MOST_TOLD:
            lines.append(f"(the first {MOST_TOLD} of the misses that are kept)")
        lines += [f"not made: {safe(name)}" for name in report.unplayed[:MOST_TOLD]]
        if report.unplayed_count > MOST_TOLD:
            lines.append(f"not made: and {report.unplayed_count - MOST_TOLD} more")
        # What the server told: a miss is in the report already.
        lines += [safe(line) for line in self._host.said if not line.startswith("respool: miss")]
        return "\n".join(lines)

    def close(self, *, keep: bool) -> str:
        if not self._closed:
            self._closed = True

            async def end() -> None:
                self._host.library.close(self._session)
                self._replayer.forget(self._session)

            self._host.ask(end)
        return ""
