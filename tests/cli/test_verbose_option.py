"""`--verbose` as the command line has it, with real processes; without it nothing is said of a call that went well."""

import re

RECORD = ("record", "--upstream", "sandbox", "--cassette", "a.cassette")


def lines(server) -> list[str]:
    return re.findall(r"respool: (?:GET|POST) .*", server.said)


def test_each_mode_says_of_each_call_what_became_of_it(respool):
    with respool.serving(*RECORD, "--verbose") as server:
        server.call("POST", "/threads", {})
        server.call("POST", "/threads/none/runs?key=hunter2hunter2", {"assistant_id": "asst_1"})
        assert server.end() == 0
        first, second = lines(server)
        assert re.fullmatch(r"respool: POST /v1/threads: 200 in \d+ ms, recorded, session default", first)
        assert re.fullmatch(
            r"respool: POST /v1/threads/none/runs\?key=REDACTED: 404 in \d+ ms, recorded, session default", second
        )
    for command in (("replay", "a.cassette"), ("serve", "--mode", "replay", "--cassette", "a.cassette")):
        with respool.serving(*command, "--verbose", "--control", "off") as server:
            server.call("POST", "/threads", {})
            server.call("GET", "/files")
            assert server.end() == 1
            first, second = lines(server)
            assert re.fullmatch(r"respool: POST /v1/threads: 200 in \d+ ms, hit, session default", first)
            assert re.fullmatch(r"respool: GET /v1/files: 502 in \d+ ms, miss, session default", second)


def test_a_folder_and_a_live_proxy_say_it_too(respool):
    with respool.serving(
        "serve", "--mode", "record", "--upstream", "sandbox", "--cassette", "many/", "--verbose"
    ) as server:
        call = server.url.replace("/v1", "") + "/@one/v1"
        server.url = call
        server.call("POST", "/threads", {})
        assert server.end() == 0
        assert "recorded, session one" in server.said
    with respool.serving("serve", "--mode", "live", "--upstream", "sandbox", "--verbose", "--control", "off") as server:
        server.call("POST", "/threads", {})
        assert server.end() == 0
        (line,) = lines(server)
        assert line.endswith("forwarded, session default")


def test_without_it_a_call_that_went_well_is_not_told(respool):
    with respool.serving(*RECORD) as server:
        server.call("POST", "/threads", {})
        assert server.end() == 0
        assert lines(server) == []


def test_what_the_rules_of_a_recording_take_out_is_not_told(respool):
    with respool.serving(*RECORD, "--redact", "text:acme_live_*", "--verbose") as server:
        server.call("GET", "/threads/acme_live_1")
        server.call("GET", "/@acme_live_2/../")
        assert server.end() == 0
        assert "acme_live_" not in server.said
    with respool.serving("replay", "a.cassette", "--verbose") as server:
        server.call("GET", "/threads/acme_live_3")
        server.call("GET", "/runs/acme_live_4")
        assert server.end() == 1
        assert "hit" in server.said
        assert "acme_live_" not in server.said
