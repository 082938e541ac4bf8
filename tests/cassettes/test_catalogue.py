import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from cassette_samples import call, write
from respool.cassettes import catalogue as catalogues
from respool.cassettes.catalogue import LOOKS, Catalogue
from respool.cassettes.interaction import BlobRef
from respool.cassettes.packing import pack
from respool.cassettes.reader import Reader
from respool.cassettes.scan import Contents
from respool.cassettes.scopes import scope_hash
from respool.cassettes.source import Source


@pytest.fixture(params=["plain", "packed"])
def path(request, tmp_path) -> Path:
    """Some 200 calls, out of their order of arrival, in 9 scopes and one without a name; bodies that come again."""
    chance = random.Random(4)
    arrivals = list(range(200))
    chance.shuffle(arrivals)
    path = tmp_path / "a.cassette"
    names = [f"thread_{number}" for number in range(9)] + [""]
    write(path, [call(number, b"%d" % (number % 30) * 700, scope=names[number % 10]) for number in arrivals])
    if request.param == "plain":
        return path
    with Reader.open(path) as reader:
        pack(reader, tmp_path / "packed.cassette")
    return tmp_path / "packed.cassette"


@pytest.fixture
def catalogue(path: Path) -> Iterator[Catalogue]:
    source = Source.open(path)
    yield Catalogue(Contents(source))
    source.close()


@pytest.mark.parametrize("looks", [0, 1_000, 20])
def test_it_answers_as_the_index_does_before_it_is_sorted_and_after(path, monkeypatch, request, looks):
    monkeypatch.setattr(catalogues, "LOOKS", looks)
    catalogue = request.getfixturevalue("catalogue")
    with Reader.open(path) as reader:
        (index,) = reader._segments
        rows = list(index.in_order())
        assert catalogue.rows == index.rows == 200
        for skip in (0, 1, 150, 200):
            assert list(catalogue.in_order(skip)) == list(index.in_order(skip))
        assert list(catalogue.by_scope()) == list(index.by_scope())
        for key in {row.summary.key for row in rows} | {0, 2**64 - 1}:
            assert catalogue.of_key(key) == index.of_key(key)
        for scope in {row.summary.scope for row in rows} | {0, 2**64 - 1}:
            assert catalogue.of_scope(scope) == index.of_scope(scope)
            assert catalogue.name(scope) == index.name(scope)
        assert sorted(catalogue.entries()) == sorted(index.entries())
        pieces = {
            part.digest
            for row in rows
            for body in reader.bodies(row)
            for part in body.parts
            if isinstance(part, BlobRef)
        }
        assert len(pieces) > 20
        assert {catalogue.blob(digest) for digest in pieces} == {index.blob(digest) for digest in pieces}
        assert catalogue.blob(bytes(16)) is catalogue.blob(b"\xff" * 16) is None


def test_names_are_read_when_a_name_is_asked_for(catalogue, monkeypatch):
    read: list[Contents] = []
    names = Contents.names
    monkeypatch.setattr(Contents, "names", lambda contents: read.append(contents) or names(contents))
    assert len(catalogue.of_key(next(catalogue.in_order()).summary.key)) == 67
    assert len(catalogue.of_scope(scope_hash("thread_3"))) == 20
    assert read == []
    assert catalogue.name(scope_hash("thread_3")) == "thread_3"
    assert len(read) == 1


def test_only_who_asks_often_has_what_was_asked_for_sorted(catalogue, monkeypatch):
    sortings: list[object] = []
    monkeypatch.setattr(
        catalogues, "sorted", lambda items, **how: sortings.append(items) or sorted(items, **how), raising=False
    )
    for number in range(LOOKS):
        catalogue.of_key(number % 3)
        catalogue.of_scope(number)
        catalogue.blob(bytes([number]) * 16)
    assert [items for items in sortings if isinstance(items, range)] == []
    catalogue.of_key(0)
    catalogue.of_key(1)
    assert [items for items in sortings if isinstance(items, range)] == [range(200)]


def test_a_recording_without_calls_is_empty(tmp_path):
    path = tmp_path / "a.cassette"
    write(path, [])
    source = Source.open(path)
    try:
        empty = Catalogue(Contents(source))
        assert (empty.rows, list(empty.in_order()), list(empty.by_scope()), list(empty.entries())) == (0, [], [], [])
        assert (empty.of_key(1), empty.of_scope(1), empty.name(1), empty.blob(bytes(16))) == ([], [], None, None)
    finally:
        source.close()
