"""One recording for all: made once, and read into memory."""

from pathlib import Path

import pytest
from recorded_conversation import calls_of, hold, record
from respool.cassettes.interaction import Interaction


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("recorded") / "refund.cassette", hold, seed=1)


@pytest.fixture(scope="session")
def calls(recorded: Path) -> list[Interaction]:
    return calls_of(recorded)
