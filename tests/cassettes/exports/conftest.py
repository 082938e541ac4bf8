"""`made(*interactions)` writes a cassette and opens it; the one before is closed, since property tests make many."""

import pytest
from respool.cassettes.reader import Reader
from respool.cassettes.summaries import summarise
from respool.cassettes.writer import Writer


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    opened = []

    def make(*interactions, upstream="https://api.example.com/v1"):
        for reader in opened:
            reader.close()
        opened.clear()
        path = tmp_path_factory.mktemp("made") / "made.cassette"
        with Writer.create(path, meta={"upstream": upstream}) as writer:
            for interaction in interactions:
                writer.append(interaction, summarise(interaction))
        opened.append(Reader.open(path))
        return opened[-1]

    yield make
    for reader in opened:
        reader.close()
