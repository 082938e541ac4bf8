"""Which `pyproject.toml` counts, and what is no file of settings."""

import pytest
from respool.cassettes.errors import UsageError
from respool.cassettes.projects import LARGEST, loaded, project_of, table_near


def test_the_nearest_project_upward_of_a_folder_counts(tmp_path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("")
    assert project_of(inner) == tmp_path / "pyproject.toml"
    (tmp_path / "a" / "pyproject.toml").write_text("")
    assert project_of(inner) == tmp_path / "a" / "pyproject.toml"


def test_a_table_is_found_beside_the_cassette_and_where_one_works_once_each(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.respool.keys]\n"list.up" = "w"\n')
    (place,) = table_near(tmp_path / "a.cassette", "keys", tmp_path)
    assert place == (f"[tool.respool] in {tmp_path / 'pyproject.toml'}", {"list.up": "w"})
    assert table_near(tmp_path / "a.cassette", "others", tmp_path) == []


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"\xff", "is no TOML"), (b"a = [", "is no TOML"), (b"#" * (LARGEST + 1), "is larger than")],
)
def test_what_is_no_file_of_settings_is_refused(tmp_path, data, said):
    path = tmp_path / "pyproject.toml"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=said):
        loaded(path)
