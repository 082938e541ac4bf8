import pytest
from respool.inspector.tabs import Tab, at, labels


@pytest.mark.parametrize("width", [12, 24, 44, 60, 120])
@pytest.mark.parametrize("current", Tab)
def test_a_click_on_a_name_finds_its_panel(width, current):
    for label in labels(current, width):
        assert at(label.start, current, width) is label.tab
        assert at(label.end - 1, current, width) is label.tab
    assert at(10_000, current, width) is None


def test_names_are_shortened_where_they_do_not_fit():
    whole = " ".join(label.text for label in labels(Tab.RAW, 60))
    assert whole == "[3] Messages [4] Tools [5] Raw [6] Diff [7] Secrets [8] Log"
    assert " ".join(label.text for label in labels(Tab.RAW, 30)) == "3 4 [5] Raw 6 7 8"
