"""A recording onto a disk that is really full: calls still go through, what was recorded is whole, and the exit status tells."""

import subprocess
import time

import pytest
from recorders import Client, calls_in, start, url_of


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of 256 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no `mount`")
    if done.returncode:
        pytest.skip(f"a small disk cannot be made here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("durable", [False, True], ids=["default", "durable"])
def test_a_full_disk_ends_the_recording_and_no_call(tiny_disk, durable):
    path = tiny_disk / "a.cassette"
    process = start("--cassette", path, *(["--durable"] if durable else []))
    client = Client(url_of(process), "1", size=4_000)
    client.start()
    end = time.monotonic() + 20
    while client.sent < 200 and time.monotonic() < end:
        time.sleep(0.02)
    client.stopped.set()
    client.join(20)
    process.terminate()
    _, said = process.communicate(timeout=30)
    assert len(client.heard) >= 200, "256 KiB hold some 30 of them"
    assert process.returncode == 3
    assert "THE RECORDING HAS STOPPED" in said
    assert "No space left on device" in said
    assert "Traceback" not in said
    found = calls_in(tiny_disk / "a.cassette.partial")
    assert list(found) == list(client.heard)[: len(found)]
    assert 10 < len(found) < 100
    assert all(client.heard[number] == data for number, data in found.items())
