"""`respool record --tail` as a user runs it."""

import json
import shutil
import uuid

import pytest

TAIL = "record --upstream sandbox --cassette recorded.cassette"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (f"{TAIL} --tail 2", "--tail needs a place for its result"),
        (f"{TAIL} --tail 2 --append -o new.cassette", "--tail replaces what follows in its thread"),
        (f"{TAIL} --tail x -o new.cassette", "invalid int value"),
        (f"{TAIL} --tail 0 -o new.cassette", "has 3 writes in recorded.cassette, so none has the number 0"),
        (f"{TAIL} --tail 4 -o new.cassette", "has 3 writes in recorded.cassette, so none has the number 4"),
        (f"{TAIL} --tail 1 -o new.cassette --thread thread_x", "holds no write of a thread thread_x"),
        (f"{TAIL} --tail 1 -o new.cassette --map asst_1", "is no pair of ids"),
        (f"{TAIL} --tail 1 -o new.cassette --map asst_1=a/b", "is no pair of ids"),
        (f"{TAIL} --append --thread thread_x", "go with --tail"),
        (f"{TAIL} --overwrite --map asst_1=asst_2", "go with --tail"),
    ],
)
def test_a_wrong_call_is_said_and_leaves_everything_as_it_was(respool, cassette, arguments, said):
    before = respool.files()
    result = respool.inside(*arguments.split(), "--port", "0")
    assert (result.returncode, result.stdout) == (2, "")
    assert said in result.stderr
    assert respool.files() == before


@pytest.mark.parametrize(
    ("option", "path"), [(("-o", "new.cassette"), "new.cassette"), (("--overwrite",), "recorded.cassette")]
)
def test_the_tail_is_recorded_behind_the_kept_part(respool, cassette, conversation, option, path):
    before = cassette.read_bytes()

    def begin(server):
        thread = json.loads(server.call("POST", "/threads", {"metadata": {"customer": "118"}})[1])["id"]
        asked = {"role": "user", "content": "Where is order 118?"}
        server.call("POST", f"/threads/{thread}/messages", asked)
        server.call("POST", f"/threads/{thread}/messages", {"role": "user", "content": "And order 119?"})
        return server.call("GET", f"/threads/{thread}/messages")

    with respool.serving(*TAIL.split(), "--tail", "2", *option) as server:
        status, listed = begin(server)
        assert status == 200
        assert next(message["thread_id"] for message in json.loads(listed)["data"]).startswith("thread_")
        assert cassette.read_bytes() == before, "the old cassette stays until the new one is whole"
        assert server.end() == 0
        assert "performed 2 recorded writes upstream so far" in server.said
        assert f"recorded 2 calls behind 3 kept ones to {path}" in server.said
    if path == "new.cassette":
        assert cassette.read_bytes() == before
    with respool.serving("replay", path, "--strict") as server:
        assert begin(server) == (status, listed)
        assert server.end() == 0
    assert sorted(respool.files()) == sorted({"recorded.cassette", path})


def traced(server, *questions):
    """A client that sends a fresh id with each write. Returns the statuses that it got."""
    heard = []

    def write(path, body):
        status, answer = server.call("POST", path, body | {"metadata": {"trace": str(uuid.uuid4())}})
        heard.append(status)
        return json.loads(answer).get("id")

    assistant = write("/assistants", {"model": "gpt-4o"})
    thread = write("/threads", {})
    for question in questions:
        write(f"/threads/{thread}/messages", {"role": "user", "content": question})
    write(f"/threads/{thread}/runs", {"assistant_id": assistant})
    return heard


@pytest.mark.parametrize("where", ["stored", "flag", "beside", "project"])
def test_rules_hold_in_a_tail_wherever_they_come_from_and_are_stored_in_it(respool, tmp_path, where):
    rule = "$.metadata.trace"
    options = ("--ignore", rule)
    kept = options if where == "stored" else ()
    with respool.serving("record", "--upstream", "sandbox", "--cassette", "recorded.cassette", *kept) as server:
        assert traced(server, "Where is order 118?") == [200] * 4
        assert server.end() == 0
    if where == "beside":
        (respool.folder / "recorded.cassette.toml").write_text(f'ignore = ["{rule}"]\n')
    if where == "project":
        (respool.folder / "pyproject.toml").write_text(f'[tool.respool]\nignore = ["{rule}"]\n')
    given = options if where == "flag" else ()
    with respool.serving(*TAIL.split(), "--tail", "2", "-o", "new.cassette", *given) as server:
        assert traced(server, "Where is order 118?", "And order 119?") == [200] * 5, server.said
        assert server.end() == 0, server.said
        assert "performed 3 recorded writes upstream so far" in server.said
    away = tmp_path / "away"
    away.mkdir()
    with respool.serving("replay", shutil.move(respool.folder / "new.cassette", away)) as server:
        assert traced(server, "Where is order 118?", "And order 119?") == [200] * 5
        assert server.end() == 0


def test_one_write_is_said_to_be_one(respool, cassette):
    with respool.serving(*TAIL.split(), "--tail", "1", "-o", "new.cassette") as server:
        thread = json.loads(server.call("POST", "/threads", {"metadata": {"customer": "118"}})[1])["id"]
        server.call("POST", f"/threads/{thread}/messages", {"role": "user", "content": "hello"})
        assert server.end() == 0
        assert "performed 1 recorded write upstream so far" in server.said


@pytest.mark.parametrize(
    ("writes", "said"), [(1, "the client never made write 2 of thread_"), (2, "no call came after write 2")]
)
def test_a_tail_that_did_not_come_about_is_not_written(respool, cassette, writes, said):
    before = respool.files()
    with respool.serving(*TAIL.split(), "--tail", "2", "--overwrite") as server:
        thread = json.loads(server.call("POST", "/threads", {"metadata": {"customer": "118"}})[1])["id"]
        if writes == 2:
            server.call("POST", f"/threads/{thread}/messages", {"role": "user", "content": "Where is order 118?"})
        assert server.end() == 1
        assert f"nothing was written: {said}" in server.said
    assert respool.files() == before


def test_an_upstream_that_refuses_a_recorded_write_shows_in_the_exit_status(respool, cassette):
    """Write 3 names an assistant that the upstream is told to know by another name, and does not know."""
    before = respool.files()
    with respool.serving(*TAIL.split(), "--tail", "3", "--overwrite", "--map", "asst_abc123=asst_zzz") as server:
        thread = json.loads(server.call("POST", "/threads", {"metadata": {"customer": "118"}})[1])["id"]
        server.call("POST", f"/threads/{thread}/messages", {"role": "user", "content": "Where is order 118?"})
        run = {"assistant_id": "asst_abc123", "metadata": {"sandbox_script": "fail server_error"}}
        server.call("POST", f"/threads/{thread}/runs", run)
        status, body = server.call("GET", f"/threads/{thread}/messages")
        assert (status, json.loads(body)["error"]["code"]) == (502, "tail_diverged")
        assert server.end() == 1
        assert "performing write 3 of 3" in server.said
        assert "--map OLD=NEW" in server.said
    assert respool.files() == before


def test_a_call_before_the_tail_that_was_not_recorded_is_a_miss(respool, cassette):
    before = respool.files()
    with respool.serving(*TAIL.split(), "--tail", "2", "--overwrite") as server:
        assert server.call("POST", "/threads", {"metadata": {"customer": "119"}})[0] == 502
        assert server.end() == 1
        assert "respool: miss" in server.said
    assert respool.files() == before
