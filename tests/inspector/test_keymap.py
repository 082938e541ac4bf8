import pytest
from respool.cassettes.errors import UsageError
from respool.cassettes.settings import settings_for
from respool.inspector.keymap import checked, keymap_for


def test_a_project_gives_keys_others(tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        '[tool.respool.keys]\n"everywhere.copy" = "c"\n"everywhere.help" = "?,f1"\n'
    )
    cassette = tmp_path / "a.cassette"
    assert keymap_for(cassette, tmp_path) == {"everywhere.copy": "c", "everywhere.help": "question_mark,f1"}
    assert not settings_for(cassette, folder=tmp_path).found, "the table is none of the rules"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"everywhere.cpoy": "c"}, "there is no key named everywhere.cpoy"),
        ({"everywhere.copy": ""}, "is given no keys"),
        ({"everywhere.copy": 7}, "is given no keys"),
        ({"everywhere.copy": "x"}, "x would mean both"),
        ({"list.up": "q"}, "q would mean both"),
        ("x", "is no table"),
    ],
)
def test_what_makes_no_sense_is_refused(table, said):
    with pytest.raises(UsageError, match=said):
        checked(table, "here")
