"""`respool migrate` as a user runs it."""

from respool.cassettes import migration, writer
from respool.cassettes.format import FileHeader
from respool.cassettes.migration import Step


def test_a_cassette_of_today_needs_nothing_and_nothing_is_written(respool, cassette):
    done = respool.inside("migrate", "recorded.cassette")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "respool: recorded.cassette: already format 1.0; nothing to convert\n"
    assert set(respool.files()) == {"recorded.cassette"}


def test_with_a_place_to_write_to_it_is_there_in_the_format_of_today(respool, cassette):
    done = respool.inside("migrate", "recorded.cassette", "-o", "new.cassette")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.endswith("nothing to convert\nrespool: wrote 6 calls to new.cassette\n")
    assert (
        respool.inside("show", "new.cassette").stdout.splitlines()[1:]
        == (respool.inside("show", "recorded.cassette").stdout.splitlines()[1:])
    )


def test_an_older_one_is_found_with_status_1_and_converted_with_status_0(respool, cassette, monkeypatch):
    monkeypatch.setattr(migration, "TODAY", (1, 1))
    monkeypatch.setattr(writer, "MINOR", 1)
    monkeypatch.setattr(migration, "STEPS", {(1, 0): Step((1, 1), dict, lambda call, summary: (call, summary))})
    done = respool.inside("migrate", "recorded.cassette")
    assert (done.returncode, done.stderr) == (1, "respool: recorded.cassette: format 1.0 becomes 1.1\n")
    assert respool.inside("migrate", "recorded.cassette", "-o", "new.cassette").returncode == 0
    done = respool.inside("migrate", "new.cassette")
    assert (done.returncode, done.stderr) == (0, "respool: new.cassette: already format 1.1; nothing to convert\n")


def test_refusals_have_their_status_and_leave_all_as_it_was(respool, cassette):
    newer = respool.folder / "newer.cassette"
    data = cassette.read_bytes()
    newer.write_bytes(FileHeader.unpack(data, "x")._replace(minor=3).pack() + data[64:])
    (respool.folder / "there").write_bytes(b"mine")
    before = respool.files()
    for arguments, status, said in [
        (["newer.cassette"], 3, "newer respool (format 1.3; this version writes 1.0)"),
        (["newer.cassette", "-o", "out"], 3, "newer respool"),
        (["recorded.cassette", "-o", "there"], 3, "there exists already"),
        (["recorded.cassette", "-o", "recorded.cassette", "--overwrite"], 2, "is the cassette that is read"),
        (["recorded.cassette", "--overwrite"], 2, "there is no -o"),
        (["there"], 3, "there is not a cassette"),
        (["missing"], 3, "does not exist"),
    ]:
        done = respool.inside("migrate", *arguments)
        assert (done.returncode, done.stdout) == (status, ""), arguments
        assert said in done.stderr, done.stderr
    assert respool.files() == before
