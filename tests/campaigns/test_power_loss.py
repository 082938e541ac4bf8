"""The power fails at a random moment; what was written and not synced is kept, lost, garbled or torn, piece by piece.

By default what `close` returned for comes back byte for byte, with `durable` what `append` returned for. Besides, only what
was recorded is called whole, and what cannot be opened is damage that a repair reads around.
"""

import random
from pathlib import Path

import pytest
from campaign import sized
from cassette_samples import call, read, summary, whole
from disk import Disk, PowerLoss
from respool.cassettes.errors import CassetteError, DamagedCassetteError
from respool.cassettes.interaction import Interaction
from respool.cassettes.reader import Reader
from respool.cassettes.repair import repair
from respool.cassettes.writer import Writer
from specimens import noise, stream

BATCH = 20


class Session:
    """Recordings into one cassette, and what of them is promised to outlive the power."""

    def __init__(self, path: Path, chance: random.Random, *, durable: bool) -> None:
        self.path = path
        self.durable = durable
        self.recorded: list[Interaction] = []
        self.promised = 0
        self._chance = chance

    def run(self) -> None:
        for number in range(self._chance.randint(1, 3)):
            writer = (
                Writer.create(self.path, durable=self.durable)
                if not number
                else Writer.append_to(self.path, durable=self.durable)
            )
            for _ in range(self._chance.randint(0, 8)):
                one = self._next()
                self.recorded.append(one)
                writer.append(one, summary(one))
                if self.durable:
                    self.promised = len(self.recorded)
            writer.close()
            self.promised = len(self.recorded)

    def _next(self) -> Interaction:
        number, kind = len(self.recorded), self._chance.randrange(5)
        if kind == 0:
            return stream(number, self._chance.randint(1, 60))
        size = self._chance.choice([0, 40, 600, 5_000, 20_000])
        body = b"text " * (size // 5) if kind == 1 else noise(size, self._chance.randrange(4))
        return call(number, body, scope=f"thread_{number % 3}")


def whole_ones(path: Path) -> list[Interaction]:
    """What can be read of a cassette; where it is damaged, what a repair keeps."""
    try:
        return read(path)
    except DamagedCassetteError:
        _, repaired = repair(path)
        return read(repaired)


def check(session: Session, after: Path) -> str:
    """Hold what is found after the power was lost against what was promised; returns how it was found."""
    promised, recorded = session.recorded[: session.promised], session.recorded
    names = [session.path.name, session.path.name + ".partial"]
    left = [path for path in (after / name for name in names) if path.exists()]
    if not session.promised:
        for path in left:
            try:
                with Reader.open(path) as reader:
                    for row in reader.rows():
                        assert whole(reader.interaction(row)) in recorded
            except CassetteError:
                pass
        return "nothing promised"
    assert left, "no name is left of what was promised"
    found = "opens"
    for path in left:
        try:
            got = read(path)
        except DamagedCassetteError:
            found = "damaged"
            got = whole_ones(path)
        assert [one for one in got if one in promised] == promised
        assert all(one in recorded for one in got)
    if found == "opens":  # and it goes on
        one = call(10_000, b"after the power came back")
        with Writer.append_to(left[0]) as writer:
            writer.append(one, summary(one))
        assert read(left[0]) == [*got, one]
    return found


@pytest.mark.parametrize("durable", [False, True], ids=["default", "durable"])
@pytest.mark.parametrize("first", range(0, sized(60, 1_000), BATCH))
def test_what_was_promised_outlives_the_power(tmp_path, durable, first):
    found = []
    for seed in range(first, first + BATCH):
        chance = random.Random(seed)
        before, after = tmp_path / f"before-{seed}", tmp_path / f"after-{seed}"
        before.mkdir()
        after.mkdir()
        session = Session(before / "a.cassette", chance, durable=durable)
        with pytest.MonkeyPatch.context() as patch:
            disk = Disk(before, patch, fails_at=chance.randint(0, 70 if durable else 45))
            try:
                session.run()
            except PowerLoss:
                pass
        disk.lose_power(chance, after)
        found.append(check(session, after))
    assert "opens" in found


def test_the_disk_really_loses_things(tmp_path):
    """The model itself: without a sync nothing is sure; with one, everything before it is."""
    kept, lost = set(), set()
    for seed in range(60):
        chance = random.Random(seed)
        before, after = tmp_path / f"before-{seed}", tmp_path / f"after-{seed}"
        before.mkdir()
        after.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            disk = Disk(before, patch)
            writer = Writer.create(before / "a.cassette")
            writer.append(call(0, b"x" * 300), summary(call(0)))
        disk.lose_power(chance, after)
        path = after / "a.cassette.partial"
        (kept if path.exists() and path.read_bytes() == (before / path.name).read_bytes() else lost).add(seed)
        writer.abandon()
    assert min(len(kept), len(lost)) > 5
