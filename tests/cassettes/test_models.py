import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from respool.cassettes import models
from respool.cassettes.interaction import Body

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec=None)), inner, max_size=4),
    max_leaves=12,
)
KINDS = [kind for kind in vars(models).values() if isinstance(kind, type) and issubclass(kind, models.View)]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25)
@given(data=st.data())
def test_no_value_makes_a_view_raise(kind, data):
    names = st.sampled_from([*kind.model_fields, "object", "copy", "model_extra", "__class__", "\ud800"])
    value = data.draw(JSON | st.dictionaries(names, JSON))
    view = kind.of(value)
    for name in kind.model_fields:
        getattr(view, name)
    for name, member in vars(kind).items():
        if isinstance(member, property):
            getattr(view, name)


def test_wrong_types_become_empty_defaults_and_unknown_fields_are_kept():
    run = models.Run.of(
        {"id": 5, "status": None, "created_at": "soon", "usage": [], "metadata": "x", "vendor": {"a": 1}}
    )
    assert (run.id, run.status, run.created_at, run.usage, run.metadata) == ("", "", None, {}, {})
    assert run.model_extra == {"vendor": {"a": 1}}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1 << 80, True, "5"])
def test_a_time_that_is_no_sane_number_is_none(value):
    assert models.Run.of({"created_at": value}).created_at is None


def test_both_versions_name_their_files():
    first = models.Message.of({"file_ids": ["file-a", 7]})
    second = models.Message.of(
        {"attachments": [{"file_id": "file-b", "tools": [{"type": "file_search"}, {"type": "code_interpreter"}]}, 3]}
    )
    assert first.files == {"file-a": ""}
    assert second.files == {"file-b": "file_search, code_interpreter"}


def test_content_is_a_string_or_parts():
    assert [part.value for part in models.Message.of({"content": "hi"}).parts] == ["hi"]
    parts = models.Message.of(
        {"content": [{"type": "text", "text": {"value": "a"}}, "?", {"type": "text", "text": "b"}]}
    )
    assert [part.value for part in parts.parts] == ["a", "b"]


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"1" * 10_000, b'{"a":' * 50_000, b" " * (models.MAX_BODY + 1)],
    ids=["empty", "cut", "not utf-8", "deep", "digits", "deep objects", "large"],
)
def test_what_is_no_json_or_too_much_of_it_is_none(data):
    assert models.parse(data) is None
    assert models.read(Body.of(data)) is None


def test_lists_are_cut():
    assert len(models.Page.of({"data": [{}] * (models.MAX_ITEMS + 5)}).data) == models.MAX_ITEMS


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"error": {"message": "no such thread", "type": "invalid_request_error"}}, "no such thread"),
        ({"error": "unauthorized"}, "unauthorized"),
        ({"message": "throttled"}, "throttled"),
        ({"detail": "Not Found"}, "Not Found"),
        ({"error": {"message": None, "code": "rate_limit_exceeded"}}, "rate_limit_exceeded"),
        ({"error": {"message": 5}}, ""),
        ([], ""),
        (None, ""),
    ],
)
def test_errors_of_many_shapes_are_read(value, said):
    assert models.error_message(value) == said


def test_compact_json_is_equal_for_equal_values_and_survives_depth():
    assert models.compact({"b": 1, "a": "ü"}) == models.compact({"a": "ü", "b": 1}) == '{"a": "ü", "b": 1}'
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert "too deep" in models.compact(deep)
    while deep:  # unwound by hand: freeing it in one go is deep, too
        deep = deep.pop()


@given(JSON)
def test_compact_json_is_one_line(value):
    assert "\n" not in models.compact(value)


def test_a_view_of_a_real_shape_reads_back():
    step = {
        "id": "step_1",
        "type": "tool_calls",
        "step_details": {
            "type": "tool_calls",
            "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f"}}],
        },
    }
    view = models.Step.of(json.loads(json.dumps(step)))
    assert [(call.id, call.function["name"]) for call in view.tool_calls] == [("call_1", "f")]
