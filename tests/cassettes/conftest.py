"""A recording in memory, and calls written in one line each, for the tests of replay."""

import json
from collections.abc import Iterator, Sequence

import pytest
from respool.cassettes.interaction import Body, End, Interaction, Request, Response
from respool.cassettes.keys import request_key
from respool.cassettes.scopes import scope_hash, scope_of
from respool.cassettes.summaries import summarise
from respool.cassettes.summary import Row

JSON = ((b"content-type", b"application/json"),)


class MemoryRecording:
    """Interactions in order of arrival, as a `recording.Recording`."""

    def __init__(self, interactions: Sequence[Interaction]) -> None:
        self.interactions = list(interactions)
        self.look_ups: list[tuple[str, int]] = []
        self.decoded = 0
        self._rows = [Row(summarise(interaction), place) for place, interaction in enumerate(self.interactions)]
        self._names = {scope_hash(name): name for name in map(self._scope, self.interactions)}

    @staticmethod
    def _scope(interaction: Interaction) -> str:
        return interaction.scope or scope_of(interaction.request, interaction.response)

    def rows(self) -> Iterator[Row]:
        return iter(self._rows)

    def rows_of_key(self, key: int) -> list[Row]:
        self.look_ups.append(("key", key))
        return [row for row in self._rows if row.summary.key == key]

    def rows_of_scope_hash(self, scope: int) -> list[Row]:
        self.look_ups.append(("scope", scope))
        return [row for row in self._rows if row.summary.scope == scope]

    def scope_name(self, scope: int) -> str:
        return self._names[scope]

    def interaction(self, row: Row) -> Interaction:
        self.decoded += 1
        return self.interactions[row.offset]


class Call:
    """One recorded call: `Call("GET /threads/t/runs/r", answer="queued")`."""

    def __init__(
        self,
        line: str,
        body: object = None,
        *,
        answer: object = "ok",
        status: int = 200,
        variant: int = 0,
        cut: bool = False,
    ) -> None:
        method, target = line.split(" ", 1)
        self.request = Request(
            method, target.encode(), JSON, Body.of(b"" if body is None else json.dumps(body).encode())
        )
        self.answer = answer
        self.status = status
        self.variant = variant
        self.cut = cut

    @property
    def key(self) -> int:
        return request_key(self.request)

    def interaction(self, arrival: int) -> Interaction:
        response = Response(self.status, b"", JSON, Body.of(json.dumps(self.answer).encode())) if self.status else None
        end = End.COMPLETE if self.status and not self.cut else End.CLIENT_CUT
        return Interaction(arrival, arrival, self.request, response, end, variant=self.variant)


class Replay:
    """What the tests of replay build with."""

    Call = Call
    Recording = MemoryRecording

    @staticmethod
    def record(*calls: Call) -> MemoryRecording:
        return MemoryRecording([call.interaction(number) for number, call in enumerate(calls)])


@pytest.fixture(scope="session")
def replay() -> type[Replay]:
    return Replay
