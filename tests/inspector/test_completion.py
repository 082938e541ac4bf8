import pytest
from respool.cassettes.fields import FIELDS
from respool.inspector.completion import advice, completed


@pytest.mark.parametrize(
    ("typed", "becomes"),
    [
        ("st", "status:"),
        ("status:fai", "status:failed"),
        ("not (op:createR", "not (op:createRun"),
        ("is:p", "is:poll"),
        ("http:5xx or is:st", "http:5xx or is:stream"),
        ("status:failed|canc", "status:failed|cancelled"),
        ("", None),
        ("status:", None),
        ('text:"is', None),
        ("zzz", None),
    ],
)
def test_the_last_word_is_completed_from_the_table(typed, becomes):
    assert completed(typed) == becomes


def test_every_field_can_be_completed():
    for field in FIELDS:
        assert completed(field.name) in {f"{each.name}:" for each in FIELDS}


def test_what_is_wrong_stands_below_its_column():
    caret, said = advice("status:failed colour:red")
    assert caret.index("^") == len("status:failed ")
    assert said.startswith("the filter, column 15: there is no field colour")


def test_a_field_at_the_end_is_explained():
    assert advice("dur>")[0].startswith("dur: ")
    assert advice("is:poll")[0].startswith("is: ")
