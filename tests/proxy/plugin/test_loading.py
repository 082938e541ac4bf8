"""What pytest loads when no test is marked, and what is left when a run has ended."""

import subprocess
import sys

HEAVY = {"aiohttp", "textual", "uvloop", "msgpack", "zstandard", "pydantic", "asyncio.base_events", "tomllib"}


def modules_after(code: str) -> set[str]:
    report = "import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_loading_the_plugin_brings_nothing_heavy_with_it():
    assert modules_after("import pytest, respool.proxy.plugin") & HEAVY <= modules_after("import pytest") & HEAVY


def test_a_run_without_marked_tests_starts_no_server(suite):
    suite.write(
        """
import sys, threading

def test_one():
    assert "respool" not in {thread.name for thread in threading.enumerate()}
"""
    )
    suite.run().assert_outcomes(passed=1)


def test_the_server_ends_with_the_run(suite):
    import threading

    suite.write("@pytest.mark.cassette\ndef test_one(): say('a')\n")
    suite.record().assert_outcomes(passed=1)
    assert "respool" not in {thread.name for thread in threading.enumerate()}


def test_the_plugin_can_be_turned_off(suite):
    suite.write("def test_one(): pass\n")
    suite.run("-p", "no:respool").assert_outcomes(passed=1)


def test_the_mode_is_in_the_header_when_it_is_not_replay(suite):
    suite.write("def test_one(): pass\n")
    assert "respool: mode" not in suite.run().stdout.str()
    assert (
        "respool: mode record, upstream https://host.example:81/v1"
        in suite.run(
            "--respool-mode=record", "--respool-upstream=https://me:secret@host.example:81/v1?key=secret"
        ).stdout.str()
    )
