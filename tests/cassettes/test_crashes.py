"""A fault is told by its kind and its places, and never by what was being worked on."""

from respool.cassettes.crashes import told

SECRET = "sk-planted-0123456789"


def failing(value):
    raise KeyError(value)


def deep(value, levels):
    return deep(value, levels - 1) if levels else failing(value)


def caught(call, *arguments):
    try:
        call(*arguments)
    except Exception as error:
        return error
    raise AssertionError("it did not fail")


def test_kind_and_places_are_told_and_the_value_is_not():
    text = told(caught(failing, SECRET))
    assert text.startswith("KeyError in failing (test_crashes.py:")
    assert "caught (test_crashes.py:" in text
    assert SECRET not in text


def test_a_deep_fault_is_told_by_its_innermost_places():
    text = told(caught(deep, SECRET, 200), most=5)
    assert text.count(" < ") == 4
    assert text.startswith("KeyError in failing")


def test_an_error_that_was_never_raised_has_a_kind_at_least():
    assert told(ValueError(SECRET)) == "ValueError"
