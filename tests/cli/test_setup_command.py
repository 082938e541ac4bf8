"""`respool setup git`: what it changes in a repository, that it does so once, and that it can be undone."""

import subprocess
import sys

import pytest

GIT_ENVIRONMENT = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}


@pytest.fixture
def git(tmp_path, monkeypatch):
    for name, value in GIT_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    run("init", "-q", "-b", "main")
    return run


def test_it_says_what_it_sets_and_once_more_changes_nothing(respool, git, tmp_path):
    done = respool.inside("setup", "git")
    assert (done.returncode, done.stdout) == (0, "")
    for word in (
        "diff.respool.textconv",
        "merge.respool.driver",
        ".gitattributes: *.cassette -text diff=respool merge=respool",
    ):
        assert word in done.stderr
    assert (tmp_path / ".gitattributes").read_text() == "*.cassette -text diff=respool merge=respool\n"
    assert git("config", "diff.respool.textconv") == f"{sys.executable} -P -m respool show --textconv --\n"
    assert git("config", "merge.respool.driver").endswith(" -P -m respool merge --driver -- %O %A %B %P\n")
    assert git("config", "diff.respool.cachetextconv") == "false\n"
    before = git("config", "--local", "--list")
    again = respool.inside("setup", "git")
    assert (again.returncode, again.stderr) == (0, "respool: nothing to do: all is set up already\n")
    assert git("config", "--local", "--list") == before
    assert (tmp_path / ".gitattributes").read_text() == "*.cassette -text diff=respool merge=respool\n"


def test_undo_takes_out_what_it_set_and_leaves_the_rest(respool, git, tmp_path):
    (tmp_path / ".gitattributes").write_text("*.png binary")
    git("config", "diff.other.textconv", "cat")
    before = git("config", "--local", "--list"), (tmp_path / ".git/info/exclude").read_text()
    respool.inside("setup", "git")
    assert (tmp_path / ".gitattributes").read_text() == "*.png binary\n*.cassette -text diff=respool merge=respool\n"
    undone = respool.inside("setup", "git", "--undo")
    assert undone.returncode == 0
    assert "took out diff.respool" in undone.stderr
    assert (tmp_path / ".gitattributes").read_text() == "*.png binary\n"
    assert (git("config", "--local", "--list"), (tmp_path / ".git/info/exclude").read_text()) == before
    again = respool.inside("setup", "git", "--undo")
    assert (again.returncode, again.stderr) == (0, "respool: nothing to do: nothing was set up\n")


def test_a_file_of_attributes_that_held_nothing_else_is_gone_after_undo(respool, git, tmp_path):
    respool.inside("setup", "git")
    respool.inside("setup", "git", "--undo")
    assert not (tmp_path / ".gitattributes").exists()


def test_attributes_that_say_so_already_are_left_alone(respool, git, tmp_path):
    (tmp_path / ".gitattributes").write_text("*.cassette binary diff=respool merge=respool\n")
    assert ".gitattributes" not in respool.inside("setup", "git").stderr
    assert (tmp_path / ".gitattributes").read_text() == "*.cassette binary diff=respool merge=respool\n"


def test_the_line_of_before_is_replaced(respool, git, tmp_path):
    (tmp_path / ".gitattributes").write_text("*.cassette diff=respool merge=respool\n*.png binary\n")
    assert respool.inside("setup", "git").returncode == 0
    assert (tmp_path / ".gitattributes").read_text() == "*.png binary\n*.cassette -text diff=respool merge=respool\n"
    (tmp_path / ".gitattributes").write_text("*.cassette diff=respool merge=respool\n")
    assert respool.inside("setup", "git", "--undo").returncode == 0
    assert not (tmp_path / ".gitattributes").exists()


@pytest.mark.parametrize("setting", ["* text eol=crlf", "* text", "* text=auto"])
def test_git_converts_no_line_ends_of_a_cassette_whatever_it_does_to_all_others(respool, git, tmp_path, setting):
    (tmp_path / ".gitattributes").write_text(setting + "\n")
    cassette, original = tmp_path / "a.cassette", b"\x89RSP\r\n\x1a\n one\n two\r\n three\n"
    respool.inside("setup", "git")
    cassette.write_bytes(original)
    git("-c", "core.autocrlf=true", "add", "a.cassette")
    cassette.unlink()
    git("-c", "core.autocrlf=true", "checkout", "-q", "--", "a.cassette")
    assert cassette.read_bytes() == original


def test_it_works_from_a_folder_below_and_from_a_second_work_tree(respool, git, tmp_path):
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "first")
    git("worktree", "add", "-q", "second")
    (tmp_path / "second" / "below").mkdir()
    respool.folder = tmp_path / "second" / "below"
    assert respool.inside("setup", "git").returncode == 0
    assert (tmp_path / "second" / ".gitattributes").exists()
    assert "merge.respool.driver" in git("config", "--local", "--list")


def test_the_cache_is_asked_for(respool, git):
    respool.inside("setup", "git", "--cache")
    assert git("config", "diff.respool.cachetextconv") == "true\n"
    assert "cachetextconv = false" in respool.inside("setup", "git").stderr


def test_where_there_is_no_repository_it_says_so(respool, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    done = respool.inside("setup", "git")
    assert (done.returncode, done.stdout) == (2, "")
    assert "not the work tree of a git repository" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_where_there_is_no_git_it_says_so(respool, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    done = respool.inside("setup", "git")
    assert done.returncode == 2
    assert "git is not installed" in done.stderr


@pytest.mark.parametrize("arguments", [["setup"], ["setup", "hg"], ["setup", "git", "--cache", "--undo"]])
def test_bad_arguments_are_a_usage_error(respool, git, arguments):
    assert respool.inside(*arguments).returncode == 2
