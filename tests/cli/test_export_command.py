"""`respool export`, and that what it writes does what it says: against a replay of the same cassette."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from respool.cassettes.reader import Reader
from respool.cassettes.show import render
from respool.cassettes.writer import Writer
from respool.proxy.record import Recorder
from respool.proxy.sandbox.server import serve_sandbox
from respool.proxy.server import serve
from respool.proxy.upstream import Origin, Upstream

PATIENCE = 60.0
FORMS = ("html", "har", "jsonl", "curl", "python", "pytest", "markdown")
TOOL = {"type": "function", "function": {"name": "lookup", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture(scope="module")
def rich_bytes(tmp_path_factory) -> bytes:
    """A cassette of most that a client does: tools, polls, a stream, an error, uploads, calls of no thread."""
    path = tmp_path_factory.mktemp("rich") / "rich.cassette"
    asyncio.run(_record(path))
    return path.read_bytes()


@pytest.fixture
def rich(tmp_path: Path, rich_bytes: bytes) -> Path:
    path = tmp_path / "rich.cassette"
    path.write_bytes(rich_bytes)
    return path


async def _record(path: Path) -> None:
    async with serve_sandbox(speed=1000) as sandbox:
        upstream = Upstream(Origin.parse(sandbox.url + "/v1"))
        with Writer.create(path, meta={"upstream": upstream.origin.url}) as writer:
            async with serve(Recorder(upstream, writer, narrate=print), name="record", narrate=print) as proxy:
                script = path.with_name("client.py")
                script.write_text(CLIENT)
                environment = os.environ | {
                    "OPENAI_BASE_URL": proxy.url + "/v1",
                    "OPENAI_API_KEY": "sk-test-0123456789",
                }
                process = await asyncio.create_subprocess_exec(sys.executable, "-W", "ignore", script, env=environment)
                assert await asyncio.wait_for(process.wait(), PATIENCE) == 0


CLIENT = (
    """
import time
import openai

client = openai.OpenAI(max_retries=0)
threads = client.beta.threads
thread = threads.create(metadata={"customer": "118"})
threads.messages.create(thread.id, role="user", content="It's `here` \\u202e $HOME \\\\ """
    "'''"
    f""" \\n\\x1b[2J \\u00e9")
run = threads.runs.create(thread.id, assistant_id="asst_abc123", tools=[{TOOL!r}])
def poll(run):
    while run.status in ("queued", "in_progress"):
        time.sleep(0.005)
        run = threads.runs.retrieve(run.id, thread_id=thread.id)
    return run
run = poll(run)
assert run.status == "requires_action"
calls = run.required_action.submit_tool_outputs.tool_calls
outputs = [{{"tool_call_id": call.id, "output": "42"}} for call in calls]
run = poll(threads.runs.submit_tool_outputs(run.id, thread_id=thread.id, tool_outputs=outputs))
threads.messages.list(thread.id, order="asc", limit=50)
for step in threads.runs.steps.list(run.id, thread_id=thread.id).data:
    threads.runs.steps.retrieve(step.id, thread_id=thread.id, run_id=run.id)
events = list(threads.runs.create(thread.id, assistant_id="asst_abc123", stream=True))
told = [event.data.id for event in events if event.event == "thread.message.created"]
threads.messages.retrieve(told[0], thread_id=thread.id)
try:
    threads.retrieve("thread_nowhere")
except openai.NotFoundError:
    pass
assistant = client.beta.assistants.create(model="gpt-4o", name="x")
file = client.files.create(file=("a.txt", b"hello \\x00\\xff"), purpose="assistants")
first = {{"headers": {{"OpenAI-Beta": "assistants=v1"}}}}
message = client.post(
    f"/threads/{{thread.id}}/messages", cast_to=object, options=first,
    body={{"role": "user", "content": "see", "file_ids": [file.id]}},
)
client.get(f"/threads/{{thread.id}}/messages/{{message['id']}}/files", cast_to=object, options=first)
client.get(f"/threads/{{thread.id}}/messages/{{message['id']}}/files/{{file.id}}", cast_to=object, options=first)
list(threads.runs.create(thread.id, assistant_id=assistant.id, stream=True))
other = threads.create_and_run(assistant_id="asst_abc123", thread={{"messages": [{{"role": "user", "content": "x"}}]}})
while threads.runs.retrieve(other.id, thread_id=other.thread_id).status in ("queued", "in_progress"):
    time.sleep(0.005)
threads.runs.list(other.thread_id)
threads.update(thread.id, metadata={{"customer": "119"}})
threads.delete(thread.id)
"""
)


def run(*words: object, base: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"OPENAI_BASE_URL": base, "OPENAI_API_KEY": "sk-other-98765", "POLL_SECONDS": "0"}
    return subprocess.run(
        [str(word) for word in words], cwd=cwd, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )  # fmt: skip


def test_the_python_script_holds_the_conversation_against_a_replay(respool, rich, tmp_path):
    assert respool.inside("export", "--python", rich, tmp_path / "talk.py").returncode == 0
    with respool.serving("replay", rich) as server:
        done = run(sys.executable, "-W", "ignore", "talk.py", base=server.url, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert server.end(signal.SIGTERM) == 0, server.said
    assert "no misses" in server.said
    assert "completed" in done.stdout


def test_the_python_script_holds_the_conversation_with_an_upstream_that_gives_other_ids(respool, rich, tmp_path):
    assert respool.inside("export", "--python", rich, tmp_path / "talk.py").returncode == 0
    with Reader.open(rich) as reader:
        (thread, *_) = [scope for scope in reader.scopes() if scope.startswith("thread_") and scope != "thread_nowhere"]
    with respool.serving("sandbox", "--seed", "3") as server:
        done = run(sys.executable, "-W", "ignore", "talk.py", base=server.url, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("completed") == 4
    assert thread not in (tmp_path / "talk.py").read_text()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not there")
def test_the_curl_script_makes_the_calls_against_a_replay(respool, rich, tmp_path):
    assert respool.inside("export", "--curl", rich, tmp_path / "talk.sh").returncode == 0
    with respool.serving("replay", rich) as server:
        done = run("sh", "talk.sh", base=server.url, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert server.end(signal.SIGTERM) == 0, server.said
    assert "no misses" in server.said


def test_the_pytest_test_is_green_on_its_cassette_and_red_on_another_answer(respool, rich, tmp_path):
    assert respool.inside("export", "--pytest", rich, tmp_path / "test_talk.py").returncode == 0
    (tmp_path / "cassettes").mkdir()
    shutil.copy(rich, tmp_path / "cassettes")
    words = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore", "test_talk.py")
    done = run(*words, base="http://127.0.0.1:9", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
    path = tmp_path / "test_talk.py"
    path.write_text(path.read_text().replace("== 'completed'", "== 'failed'"))
    assert run(*words, base="http://127.0.0.1:9", cwd=tmp_path).returncode == 1


def test_what_was_exported_replays_and_shows_alike_once_imported(respool, rich, tmp_path):
    assert respool.inside("export", "--python", rich, tmp_path / "talk.py").returncode == 0
    cassettes = [rich]
    for form in ("har", "jsonl"):
        assert respool.inside("export", f"--{form}", rich, tmp_path / form).returncode == 0
        (tmp_path / f"from-{form}").mkdir()
        cassettes.append(tmp_path / f"from-{form}" / "rich.cassette")
        assert respool.inside("import", tmp_path / form, cassettes[-1]).returncode == 0
        with Reader.open(rich) as before, Reader.open(cassettes[-1]) as after:
            assert list(render(before)) == list(render(after)), form
    said = []
    for cassette in cassettes:
        with respool.serving("replay", cassette) as server:
            done = run(sys.executable, "-W", "ignore", "talk.py", base=server.url, cwd=tmp_path)
            assert server.end(signal.SIGTERM) == 0, server.said
            said.append((done.returncode, done.stdout))
    assert said == said[:1] * 3


@pytest.mark.parametrize("form", ["html", "har", "jsonl", "curl", "python", "pytest", "markdown"])
def test_no_export_holds_what_could_act_on_a_terminal_or_a_credential(respool, rich, form):
    done = respool.inside("export", f"--{form}", rich)
    assert done.returncode == 0
    assert not set("\x1b\u202e\x00") & set(done.stdout)
    assert "sk-test" not in done.stdout


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("har", ["HAR has no field for this", "pace of a stream", "bytes of an upload that is no text (1)"]),
        ("html", []),
        ("jsonl", []),
        ("curl", ["not in the script:", "  answers, times"]),
        ("python", ["not in the script:", "  answers, times"]),
        ("pytest", ["not in the test:", "  answers but the states and texts"]),
        ("markdown", ["not in the text:", "  header lines, times"]),
    ],
)
def test_what_an_export_leaves_out_is_said_on_stderr(respool, rich, tmp_path, form, said):
    done = respool.inside("export", f"--{form}", rich, tmp_path / "out")
    assert (done.returncode, done.stdout) == (0, "")
    assert all(each in done.stderr for each in said), done.stderr
    assert bool(done.stderr) is bool(said)
    assert respool.inside("export", f"--{form}", rich).stderr == done.stderr


def test_an_existing_file_is_replaced_only_when_asked(respool, cassette, tmp_path):
    (tmp_path / "out.har").write_text("mine")
    done = respool.inside("export", "--har", cassette, tmp_path / "out.har")
    assert done.returncode == 3
    assert (tmp_path / "out.har").read_text() == "mine"
    assert respool.inside("export", "--har", "--overwrite", cassette, tmp_path / "out.har").returncode == 0
    assert (tmp_path / "out.har").read_text().startswith('{"log":')
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.har", "recorded.cassette"]


@pytest.mark.parametrize("how", ["path", "link", "symlink"])
def test_the_cassette_itself_is_never_written_over(respool, rich, rich_bytes, how):
    out = rich.with_name("out.har")
    if how == "path":
        out = rich
    elif how == "link":
        out.hardlink_to(rich)
    else:
        out.symlink_to(rich.name)
    found = respool.inside("export", "--har", rich, out, "--overwrite")
    assert found.returncode == 2
    assert "is the cassette that is read" in found.stderr
    assert rich.read_bytes() == rich_bytes == out.read_bytes()


@pytest.mark.parametrize("form", FORMS)
def test_overwriting_without_a_file_is_a_mistake_in_use(respool, cassette, form):
    done = respool.inside("export", f"--{form}", "--overwrite", cassette)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0] == "respool: --overwrite replaces a file, and stdout is none"


@pytest.mark.parametrize("form", FORMS)
def test_each_form_holds_the_thread_that_was_asked_for_and_no_other(respool, form):
    with respool.serving("record", "--upstream", "sandbox", "--cassette", "two.cassette") as server:
        threads = []
        for fruit in ("apple", "pear"):
            status, body = server.call("POST", "/threads", {"messages": [{"role": "user", "content": f"an {fruit}"}]})
            threads.append(json.loads(body)["id"])
            assert (status, server.call("GET", f"/threads/{threads[-1]}/messages")[0]) == (200, 200)
        assert server.end() == 0
    done = respool.inside("export", f"--{form}", "two.cassette", "--thread", threads[0])
    assert done.returncode == 0
    assert "apple" in done.stdout
    assert "pear" not in done.stdout
    assert threads[1] not in done.stdout


def test_a_thread_that_is_not_there_is_said(respool, cassette):
    for form in ("html", "har", "jsonl", "curl", "python", "pytest", "markdown"):
        done = respool.inside("export", f"--{form}", "--thread", "thread_unknown_here", cassette)
        assert done.returncode == 2
        assert "no thread thread_unknown_here" in done.stderr


def test_a_format_has_to_be_named(respool, cassette):
    assert respool.inside("export", cassette).returncode == 2
