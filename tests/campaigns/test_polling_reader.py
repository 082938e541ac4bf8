"""A second process opens a cassette again and again while it grows: no error, nothing partial, and never less than before."""

import json
import subprocess
import sys

from campaign import sized
from cassette_samples import call, summary
from respool.cassettes.reader import Reader
from respool.cassettes.writer import Writer

APPENDS = sized(3_000, 100_000)
POLLER = """
import json, sys
from pathlib import Path
from respool.cassettes.reader import Reader
partial, path = Path(sys.argv[1] + ".partial"), Path(sys.argv[1])
polls, before, errors, growing = 0, 0, [], 0
print("ready", flush=True)
while before < int(sys.argv[2]) and len(errors) < 5:
    finished = path.exists()
    try:
        with Reader.open(path if finished else partial) as reader:
            polls += 1
            count = len(reader)
            if count < before:
                errors.append(f"{count} after {before}")
            growing += before < count < int(sys.argv[2])
            seen = 0
            for place, row in enumerate(reader.rows()):
                seen += 1
                if row.summary.arrival != place:
                    errors.append(f"row {place} has arrival {row.summary.arrival}")
                if place < count - 40 and place % 997:
                    continue
                one = reader.interaction(row)
                if one.response.body.read() != b"%d " % place * (1 + place % 700):
                    errors.append(f"interaction {place} is not what was written")
            if seen != count:
                errors.append(f"{seen} rows of {count}")
            before = count
    except FileNotFoundError:
        continue
    except Exception as error:
        if not finished and path.exists():
            continue  # it got its name in between
        errors.append(f"{type(error).__name__}: {error}")
print(json.dumps([polls, before, growing, errors]), flush=True)
"""


def test_a_reader_that_polls_sees_whole_interactions_only(tmp_path):
    path = tmp_path / "a.cassette"
    writer = Writer.create(path)
    poller = subprocess.Popen(
        [sys.executable, "-c", POLLER, str(path), str(APPENDS)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert poller.stdout is not None
        assert poller.stdout.readline() == "ready\n"
        for number in range(APPENDS):
            one = call(number, b"%d " % number * (1 + number % 700), scope=f"thread_{number % 7}")
            writer.append(one, summary(one))
        writer.close()
        polls, seen, growing, errors = json.loads(poller.stdout.readline())
    finally:
        poller.kill()
        poller.communicate()
    assert errors == []
    assert seen == APPENDS
    assert growing >= sized(2, 20), f"it polled {polls} times"
    with Reader.open(path) as reader:
        assert len(reader) == APPENDS
