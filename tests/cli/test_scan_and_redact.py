"""`respool scan` and `respool redact` as a user runs them: places and rules on stdout, exit statuses, and never the secret."""

KEY = "sk-proj-" + "abcdefghij0123456789ABCDEFGHIJ"


def test_scan_finds_what_was_left_in_a_file_and_does_not_repeat_it(respool, cassette):
    folder = respool.folder / "exports"
    folder.mkdir()
    (folder / "talk.sh").write_text(f"#!/bin/sh\ncurl -H 'Authorization: Bearer {KEY}' http://127.0.0.1\n")
    (folder / ".hidden").write_text(KEY)
    done = respool.inside("scan", cassette, "exports")
    assert done.returncode == 1
    assert done.stdout.startswith("exports/talk.sh: line 2: ")
    assert "respool: 1 place in 2 files" in done.stderr
    assert KEY not in done.stdout + done.stderr
    assert ".hidden" not in done.stdout


def test_a_recording_of_respools_own_holds_nothing_to_find(respool, cassette):
    done = respool.inside("scan", cassette)
    assert (done.returncode, done.stdout) == (0, "")
    assert respool.inside("scan", "none.cassette").returncode == 3
    assert respool.inside("scan", cassette, "--redact", "nonsense").returncode == 2


def test_a_redacted_cassette_lacks_what_a_rule_names_and_replays_to_the_same_calls(respool, cassette):
    done = respool.inside("redact", cassette, "-o", "clean.cassette", "--redact", "name:customer")
    assert (done.returncode, done.stdout) == (0, "")
    assert "of them held something that was taken out" in done.stderr
    shown = respool.inside("show", "clean.cassette").stdout
    assert "118" in respool.inside("show", cassette).stdout
    assert '"customer": "118"' not in shown
    with respool.serving("replay", "clean.cassette") as server:
        assert server.call("POST", "/threads", {"metadata": {"customer": "118"}})[0] == 200
        assert server.end() == 0
    assert respool.inside("redact", cassette, "-o", "clean.cassette").returncode == 3
    assert respool.inside("redact", cassette, "-o", cassette, "--overwrite").returncode == 2
