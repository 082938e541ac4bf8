"""Rules of all places are added together; what cannot be read is an error that says where it stands."""

import json
import tomllib

import pytest
from respool.cassettes.errors import CassetteError, UsageError
from respool.cassettes.projects import LARGEST
from respool.cassettes.rules import Rules
from respool.cassettes.settings import as_toml, notes_of, redaction_for, settings_for


def test_nothing_anywhere_is_no_rule(tmp_path):
    settings = settings_for(tmp_path / "a.cassette", notes={"upstream": "http://x"}, folder=tmp_path)
    assert not settings.rules
    assert str(settings) == ""


def test_rules_of_all_places_are_added_together(tmp_path):
    (tmp_path / "tests" / "deep").mkdir(parents=True)
    (tmp_path / "work").mkdir()
    (tmp_path / "tests" / "pyproject.toml").write_text('[tool.respool]\nignore = ["query:project"]\n')
    (tmp_path / "pyproject.toml").write_text('[tool.respool]\nignore = ["query:too-far"]\n')
    (tmp_path / "work" / "pyproject.toml").write_text(
        '[tool.respool]\nmatch-header = ["X-Work"]\n[tool.other]\na = 1\n'
    )
    cassette = tmp_path / "tests" / "deep" / "a.cassette"
    (cassette.parent / "a.cassette.toml").write_text('ignore = ["$.beside", "query:project"]\n')
    settings = settings_for(
        cassette,
        ignore=["$.given"],
        match_headers=["X-Given"],
        notes={"ignore": ["$.stored"], "match-header": ["X-Stored"], "upstream": "http://x"},
        folder=tmp_path / "work",
    )
    assert set(settings.rules.ignore) == {"$.given", "$.stored", "$.beside", "query:project"}
    assert set(settings.rules.match_headers) == {"X-Given", "X-Stored", "X-Work"}
    assert str(settings).split(", ")[:2] == [
        "ignoring $.given (command line)",
        "matching header X-Given (command line)",
    ]
    assert "ignoring query:project (a.cassette.toml, pyproject.toml)" in str(settings)
    assert "ignoring $.stored (cassette)" in str(settings)


def test_one_project_file_counts_once(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.respool]\nignore = ["query:a"]\n')
    settings = settings_for(tmp_path / "a.cassette", folder=tmp_path)
    assert str(settings) == "ignoring query:a (pyproject.toml)"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[tool.respool]\nignores = []", "known are ignore and match-header"),
        ("[tool.respool]\nignore = 'query:a'", "is no list of texts"),
        ("[tool.respool]\nignore = [1]", "is no list of texts"),
        ("[tool.respool]\nignore = ['$.a[']", "at character 5"),
        ("[tool.respool]\nmatch-header = ['a b']", "no name of a header"),
        ("[tool]\nrespool = 1", "is no table"),
        ("[tool.respool", "is no TOML"),
        ("a = " + "[" * 5000, "is no TOML"),
        ("\udcff", "is no TOML"),
        ("#" * (LARGEST + 1), "is larger than"),
    ],
    ids=lambda text: text[:24],
)
def test_what_cannot_be_read_is_said_with_its_place(tmp_path, text, told):
    (tmp_path / "pyproject.toml").write_text(text, errors="surrogateescape")
    with pytest.raises(UsageError) as caught:
        settings_for(None, folder=tmp_path)
    assert told in f"{caught.value.message} {caught.value.hint}"
    assert str(tmp_path / "pyproject.toml") in caught.value.message


def test_a_bad_rule_in_a_cassette_is_the_cassettes_fault(tmp_path):
    for notes in ({"ignore": ["cookie:a"]}, {"ignore": "x"}, {"match-header": [b"x"]}):
        with pytest.raises(CassetteError, match=r"the notes in .*a\.cassette"):
            settings_for(tmp_path / "a.cassette", notes=notes, folder=tmp_path)


def test_a_bad_rule_of_the_command_line_is_the_users_fault(tmp_path):
    with pytest.raises(UsageError, match="command line: the ignore rule nonsense"):
        settings_for(None, ignore=["nonsense"], folder=tmp_path)


def test_what_is_suggested_for_the_file_beside_is_what_it_takes(tmp_path):
    rules = Rules.of(["$['ä\"b']", "query:a"], ["X-A"])
    lines = as_toml(rules).split("; ")
    assert (
        tomllib.loads("\n".join(lines))
        == notes_of(rules)
        == {"ignore": ["$['ä\"b']", "query:a"], "match-header": ["X-A"]}
    )
    assert json.loads(lines[1].partition("= ")[2]) == ["X-A"]


@pytest.mark.parametrize(
    ("named", "told"), [("~no-such-user/key", "no such home folder"), ("a\\u0000b", "cannot be the name of a file")]
)
def test_a_key_file_that_can_be_none_is_said_with_its_place(tmp_path, named, told):
    (tmp_path / "pyproject.toml").write_text(f'[tool.respool]\nkey-file = "{named}"\n')
    with pytest.raises(UsageError, match=rf"`key-file` in .*pyproject.toml: .*{told}"):
        redaction_for(None, folder=tmp_path)
