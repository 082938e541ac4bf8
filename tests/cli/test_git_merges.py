"""Real git in real repositories: cassettes in diffs and logs, merges of two branches, and conflicts."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from recorded_calls import write_cassette
from respool.cassettes.joining import join
from respool.cassettes.reader import Reader

NAME = "tests/refund.cassette"


def thread(name: str, question: str, answer: str, *, at: int = 0):
    """The calls of a thread: made, asked, run, read."""
    told = [
        {"id": f"msg_{name}1", "object": "thread.message", "role": "user", "created_at": 1, "content": text(question)},
        {"id": f"msg_{name}2", "object": "thread.message", "role": "assistant", "created_at": 3, "content": text(answer),
         "run_id": f"run_{name}"},
    ]  # fmt: skip
    run = {
        "id": f"run_{name}",
        "object": "thread.run",
        "status": "completed",
        "created_at": 2,
        "model": "m",
        "usage": None,
    }
    path = f"/v1/threads/thread_{name}"
    yield call("POST", "/v1/threads", {}, {"id": f"thread_{name}", "object": "thread", "metadata": {}})
    yield call("POST", f"{path}/messages", {"role": "user", "content": question}, told[0])
    yield call("POST", f"{path}/runs", {"assistant_id": "asst_1"}, run | {"status": "queued"})
    yield call("GET", f"{path}/runs/run_{name}", None, run)
    yield call("GET", f"{path}/messages", None, {"object": "list", "data": told[::-1]})


def text(value: str):
    return [{"type": "text", "text": {"value": value, "annotations": []}}]


def call(method: str, target: str, asked: object, answered: object):
    return (
        method,
        target.encode(),
        b"" if asked is None else json.dumps(asked).encode(),
        json.dumps(answered).encode(),
        200,
    )


A = ("aaa", "Where is order 118?", "On its way.")
B = ("bbb", "How do I return a kettle?", "By mail.")
C = ("ccc", "Do you ship to Iceland?", "We do.")
D = ("ddd", "What is the price?", "It is 24.90.")
A2 = ("a22", "Where is order 118?", "It was delivered.")
A3 = ("a33", "Where is order 118?", "It is lost.")
ASSISTANT = call(
    "POST", "/v1/assistants", {"name": "Orders"}, {"id": "asst_1", "object": "assistant", "name": "Orders"}
)


class Repository:
    """A repository with `respool setup git` done in it. `write` makes a cassette of threads; each thread is recorded once."""

    def __init__(self, folder: Path, respool: Callable) -> None:
        self.folder = folder
        self.respool = respool
        self.parts = folder.parent / "parts"
        self.parts.mkdir()
        self.git("init", "-q", "-b", "main")
        (folder / "tests").mkdir()

    def git(self, *arguments: str, status: int = 0) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def write(self, *threads, name: str = NAME) -> None:
        parts = []
        for told in threads:
            part = self.parts / f"{told[0] if told is not ASSISTANT else 'assistant'}.cassette"
            if not part.exists():
                write_cassette(part, [ASSISTANT] if told is ASSISTANT else thread(*told))
            parts.append(part)
        readers = [Reader.open(part) for part in parts]
        join(readers, self.folder / name, overwrite=True)
        for reader in readers:
            reader.close()

    def commit(self, branch: str, *threads, start: str = "main", name: str = NAME) -> None:
        """A commit on a branch in which the cassette holds these threads."""
        if branch != "main":
            self.git("checkout", "-q", "-b", branch, start)
        self.write(*threads, name=name)
        self.git("add", ".")
        self.git("commit", "-q", "-m", f"{branch} records")

    def threads(self, name: str = NAME) -> list[str]:
        with Reader.open(self.folder / name) as reader:
            return [scope.removeprefix("thread_") for scope in reader.scopes() if not scope.startswith("/")]

    @property
    def conflict(self) -> Path:
        return self.folder / (NAME + ".conflict.txt")


@pytest.fixture
def repository(tmp_path, respool, monkeypatch):
    for name, value in {
        "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b", "GIT_MERGE_AUTOEDIT": "no", "GIT_PAGER": "cat",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    folder = tmp_path / "repository"
    folder.mkdir()
    made = Repository(folder, respool)
    respool.folder = folder
    assert respool.inside("setup", "git").returncode == 0
    made.commit("main", A, B)
    return made


def added(diff: str) -> list[str]:
    return [line for line in diff.splitlines() if line.startswith(("+", "-")) and not line.startswith(("+++", "---"))]


def test_a_thread_more_is_added_lines_in_diff_log_and_show(repository):
    repository.commit("one", A, B, C)
    repository.write(A, B, C, D)
    for diff in (repository.git("diff"), repository.git("log", "-p", "-1"), repository.git("show")):
        lines = added(diff)
        assert all(line.startswith("+") for line in lines), diff
    assert "+    Do you ship to Iceland?" in repository.git("log", "-p", "-1").splitlines()
    assert "+    It is 24.90." in repository.git("diff").splitlines()
    assert "thread thread_aaa" in repository.git("show", "--textconv", f"HEAD:{NAME}")


def test_a_thread_between_others_is_added_lines_too(repository):
    repository.commit("one", A, C, B)
    repository.git("checkout", "-q", "main")
    assert all(line.startswith("+") for line in added(repository.git("diff", "main", "one")))


def test_the_text_is_the_same_whatever_the_file_is_called_and_whatever_the_locale(repository, tmp_path):
    os.link(repository.folder / NAME, tmp_path / "other.cassette")
    texts = []
    for path, locale in ((repository.folder / NAME, "C.UTF-8"), (tmp_path / "other.cassette", "C")):
        command = [sys.executable, "-P", "-m", "respool", "show", "--plain", str(path)]
        environment = {**os.environ, "LC_ALL": locale, "PYTHONIOENCODING": "ascii"}
        texts.append(subprocess.run(command, capture_output=True, check=True, env=environment).stdout)
    assert texts[0] == texts[1]
    assert "queued" in texts[0].decode()


def test_two_branches_that_add_threads_merge_and_the_result_holds_all_and_replays(repository, respool):
    repository.commit("one", A, B, C, ASSISTANT)
    repository.commit("two", A, B, D, ASSISTANT)
    said = repository.git("merge", "one")
    assert "1 thread from theirs" in said
    assert repository.git("status", "--short") == ""
    assert sorted(repository.threads()) == ["aaa", "bbb", "ccc", "ddd"]
    with Reader.open(repository.folder / NAME) as reader:
        assert reader.sealed
        assert len(reader.rows_of_scope("/assistants")) == 1
    with respool.serving("replay", NAME) as server:
        for name, question, answer in (A, B, C, D):
            for method, target, asked, _, _ in thread(name, question, answer):
                path = target.decode().removeprefix("/v1")
                status, body = server.call(method, path, json.loads(asked) if asked else None)
                assert status == 200, body
            assert answer.encode() in body
        assert server.end() == 0


def test_a_branch_that_removes_a_thread_removes_it_and_the_other_adds_one(repository):
    repository.commit("one", A, B, C)
    repository.commit("two", B)
    repository.git("merge", "one")
    assert sorted(repository.threads()) == ["bbb", "ccc"]
    repository.commit("three", B, C, D, start="one")
    repository.git("merge", "two")
    assert sorted(repository.threads()) == ["bbb", "ccc", "ddd"]


def test_a_thread_that_one_branch_recorded_anew_takes_the_place_of_the_old_one(repository):
    repository.commit("one", A2, B)
    repository.commit("two", A, B, C)
    said = repository.git("merge", "one")
    assert "1 thread of ours replaced or removed" in said
    assert sorted(repository.threads()) == ["a22", "bbb", "ccc"]
    repository.git("checkout", "-q", "one")
    repository.git("merge", "--no-ff", "main")
    assert sorted(repository.threads()) == ["a22", "bbb"]


def test_two_recordings_of_one_thread_conflict_ours_stays_and_both_are_shown(repository):
    repository.commit("one", A2, B, C)
    repository.commit("two", A3, B)
    before = (repository.folder / NAME).read_bytes()
    said = repository.git("merge", "one", status=1)
    assert f"conflict in {NAME}: 1 thread changed on both sides" in said
    assert "thread_a33 (ours) and thread_a22 (theirs): 1 difference, the first in thread 1, message 2" in said
    assert f"respool merge --resolve --keep first {NAME}" in said
    assert f"git add {NAME}" in said
    assert repository.git("status", "--short") == f"UU {NAME}\n"  # the other file is not in the way
    assert (repository.folder / NAME).read_bytes() == before
    lines = repository.conflict.read_text().splitlines()
    assert lines[0] == "refund.cassette: 1 thread changed on both sides"
    assert [line for line in lines if line.startswith("  -  ")] == ["  -  It is lost."]
    assert [line for line in lines if line.startswith("  +  ")] == ["  +  It was delivered."]
    (reply,) = [line for line in lines if "It is lost." in line and "It was delivered." in line]
    assert " | " in reply
    (question,) = [line for line in lines if "Where is order 118?" in line]
    assert question.count("Where is order 118?") == 2
    assert " | " not in question
    assert "kettle" not in repository.conflict.read_text()
    assert max(map(len, lines)) < 140


@pytest.mark.parametrize(("keep", "kept"), [("first", "a33"), ("last", "a22")])
def test_a_conflict_is_settled_by_one_command_and_git_add(repository, respool, keep, kept):
    repository.commit("one", A2, B, C)
    repository.commit("two", A3, B, D)
    repository.git("merge", "one", status=1)
    respool.folder = repository.folder / "tests"
    done = respool.inside("merge", "--resolve", "--keep", keep, "refund.cassette")
    assert (done.returncode, done.stdout) == (0, "")
    assert "1 conflict settled" in done.stderr
    assert not repository.conflict.exists()
    repository.git("add", NAME)
    repository.git("commit", "-q", "-m", "merged")
    assert sorted(repository.threads()) == sorted([kept, "bbb", "ccc", "ddd"])


def test_a_thread_recorded_anew_here_and_removed_there_is_a_conflict(repository):
    repository.commit("one", A2, B)
    repository.commit("two", B)
    said = repository.git("merge", "one", status=1)
    assert "thread_a22 was removed in ours and recorded anew in theirs" in said
    assert "(removed)" in repository.conflict.read_text()


def test_two_recordings_that_say_the_same_conflict_too_and_that_is_said(repository):
    repository.commit("one", ("a22", *A[1:]), B)
    repository.commit("two", ("a33", *A[1:]), B)
    said = repository.git("merge", "one", status=1)
    assert "say the same; either will do" in said


def test_a_cassette_that_both_branches_added_holds_the_threads_of_both(repository):
    name = "tests/new 'one'.cassette"
    repository.commit("one", A, C, name=name)
    repository.commit("two", B, D, name=name)
    repository.git("merge", "one")
    assert sorted(repository.threads(name)) == ["aaa", "bbb", "ccc", "ddd"]


def test_a_rebase_goes_by_the_same_rules(repository):
    repository.commit("one", A, B, C)
    repository.commit("two", A, B, D)
    repository.git("rebase", "-q", "one")
    assert sorted(repository.threads()) == ["aaa", "bbb", "ccc", "ddd"]


def test_what_lies_in_the_repository_is_not_run(repository):
    """A repository is foreign: to look at its history must not import what it holds."""
    for name in ("respool.py", "json.py", "argparse.py"):
        (repository.folder / name).write_text("raise SystemExit('the repository was run')")
    repository.commit("one", A, B, C)
    assert "Iceland" in repository.git("show")
    repository.commit("two", A, B, D)
    repository.git("merge", "one")
    assert len(repository.threads()) == 4


def test_what_is_no_cassette_is_a_conflict_for_git_and_stays_as_it_is(repository):
    repository.commit("one", A, B, C)
    repository.git("checkout", "-q", "-b", "two", "main")
    (repository.folder / NAME).write_text("a pointer, say\n")
    repository.git("commit", "-q", "-a", "-m", "pointer")
    said = repository.git("merge", "one", status=1)
    assert "not a cassette" in said
    assert (repository.folder / NAME).read_text() == "a pointer, say\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["merge", "--driver", "a", "b"], "--driver takes"),
        (["merge", "--resolve", NAME], "--keep first"),
        (["merge", "--resolve", "--keep", "first", NAME], "git has no conflict"),
        (["merge", "--resolve", "--keep", "first", "nowhere/x.cassette"], "git has no conflict"),
        (["merge", "--resolve", "--keep", "first", NAME, "-o", "x"], "-o does not go with"),
        (["merge", NAME], "-o/--output"),
        (["merge", "--driver", "--resolve", NAME], "not allowed with"),
    ],
)
def test_what_cannot_be_done_is_a_usage_error(repository, respool, arguments, said):
    done = respool.inside(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_the_driver_is_spelled_so_that_a_shell_reads_it_as_it_is(repository):
    words = shlex.split(repository.git("config", "merge.respool.driver"))
    assert words == [sys.executable, "-P", "-m", "respool", "merge", "--driver", "--", "%O", "%A", "%B", "%P"]


UNFIT: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda _: b"", "is empty"),
    "cut short": (lambda data: data[: len(data) * 2 // 3], "may lack calls at its end"),
    "damaged": (lambda data: data[:1500] + b"\0" * 64 + data[1564:], "damaged"),
    "kept by Git LFS": (lambda _: b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9\n", "cassette"),
}


@pytest.mark.parametrize(
    ("kind", "side"),
    [(kind, side) for kind in UNFIT for side in ("our", "their") if (kind, side) != ("damaged", "their")],
)
def test_a_version_that_is_not_whole_is_a_conflict_and_never_merged_as_threads_removed(repository, kind, side):
    spoil, why = UNFIT[kind]
    repository.commit("one", A, B, C)
    repository.git("checkout", "-q", "-b", "two", "main")
    path = repository.folder / NAME
    spoiled = spoil(path.read_bytes())
    path.write_bytes(spoiled)
    repository.git("commit", "-q", "-a", "-m", "spoilt")
    if side == "their":
        repository.git("checkout", "-q", "one")
    ours = path.read_bytes()
    said = repository.git("merge", "two" if side == "their" else "one", status=1)
    assert f"{side} {NAME}" in said
    assert why in said
    assert "git checkout --ours" in said
    assert ".merge_file" not in said
    assert repository.git("status", "--short").startswith("UU ")
    assert path.read_bytes() == ours


@pytest.mark.parametrize("kind", UNFIT)
def test_a_version_that_cannot_be_read_does_not_end_the_log(repository, kind):
    spoil, _ = UNFIT[kind]
    whole = (repository.folder / NAME).read_bytes()
    for number, data in enumerate((spoil(whole), whole)):
        (repository.folder / NAME).write_bytes(data)
        repository.git("commit", "-q", "-a", "-m", f"change {number}")
    log = repository.git("log", "-p")
    assert log.count("\ncommit ") == 2
    assert ("\n+(" in log) == (kind != "cut short"), log  # of which what is whole is shown
