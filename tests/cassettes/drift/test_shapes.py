"""Shapes: what is the same shape, what is not, and where it is said."""

# ruff: noqa: E501 - a table is read by its rows
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from respool.cassettes.drift.shapes import MOST_FIELDS, MOST_NODES, Profile, profile_of, type_of, unlike

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["object", "type", "role", "status", "a", "b", "arguments", "metadata"]), inner
        )
    ),
    max_leaves=20,
)


def found(live, *known, **options):
    shapes = profile_of([("$", document) for document in known])
    return [f"{each.what} {each.path}: {each.recorded} | {each.upstream}" for each in unlike(profile_of([("$", live)]), shapes, **options)]  # fmt: skip


RUN = {"object": "thread.run", "status": "completed"}


@pytest.mark.parametrize(
    ("known", "live"),
    [
        ([{"a": 1}], {"a": 2.5}),
        ([{"a": "x"}], {"a": "quite another"}),
        ([{"a": None}], {"a": {"b": 1}}),
        ([{"a": None}, {"a": {"b": 1}}], {"a": None}),
        ([{"a": None}, {"a": {"b": 1}}], {"a": {"b": 2}}),
        ([{"a": 1}, {}], {"a": 1}),
        ([{"a": 1}, {}], {}),
        ([{"a": "auto"}, {"a": {"type": "function"}}], {"a": {"type": "function"}}),
        ([{"a": [{"b": 1}]}], {"a": []}),
        ([{"a": []}], {"a": [{"b": 1}]}),
        ([{"a": [{"b": 1}]}], {"a": [{"b": 1}, {"b": 2}]}),
        ([{"metadata": {"x": 1}}], {"metadata": {"y": "z"}}),
        ([{"annotations": []}], {"annotations": [{"type": "url_citation"}]}),
        ([{"annotations": [{"type": "file_citation", "x": 1}]}], {"annotations": [{"type": "url_citation"}]}),
        ([{**RUN, "status": "queued", "t": None}, {**RUN, "t": 1}], {**RUN, "status": "queued", "t": 1}),
        ([{**RUN, "status": "queued", "t": 1}], {**RUN, "status": "queued", "t": None}),
        ([{**RUN, "t": 1}], {**RUN, "status": "in_progress", "t": None}),
    ],
)
def test_the_same_shape(known, live):
    assert found(live, *known) == []


@pytest.mark.parametrize(
    ("known", "live", "said"),
    [
        ([{"a": 1}], {}, "field missing $.a: number | nothing"),
        ([{}], {"a": 1}, "field added $.a: nothing | number"),
        ([{"a": 1}], {"a": "1"}, "type changed $.a: number | string"),
        ([{"a": True}], {"a": 1}, "type changed $.a: boolean | number"),
        ([{"a": 1}], {"a": None}, "type changed $.a: number | null"),
        ([{"a": {"b": [{"c": 1}]}}], {"a": {"b": [{"c": []}]}}, "type changed $.a.b[*].c: number | list"),
        ([{"a": [{"b": 1}, {"b": 1}]}], {"a": [{"b": 1}, {}]}, "field missing $.a[*].b: number | nothing, in some"),
        ([{**RUN, "t": 1}, {**RUN, "status": "queued", "t": None}], {**RUN, "t": None}, "type changed $.t: number | null (completed)"),
        ([{"object": "x"}], {"object": "y"}, "kind changed $: x | y"),
        ([{"a": [{"type": "text"}]}], {"a": [{"type": "audio"}]}, "kind changed $.a[*]: text | audio"),
        ([{"object": "x", "b": 1}], {"b": 1}, "field missing $.object: string | nothing"),
        ([{"a b": 1}], {"a b": ""}, 'type changed $["a b"]: number | string'),
        ([{"function": {"name": "f", "arguments": '{"x": 1}'}}], {"function": {"name": "f", "arguments": "{}"}}, "field missing $.function.arguments.x: number | nothing"),
        ([{"function": {"name": "f", "arguments": '{"x": 1}'}}], {"function": {"name": "f", "arguments": "{x"}}, "type changed $.function.arguments: object | string"),
    ],
)  # fmt: skip
def test_another_shape_is_named_by_its_place(known, live, said):
    assert found(live, *known) == [said]


def test_nulls_of_another_moment_say_nothing():
    assert found({"a": None}, {"a": 1}, loose=True) == []
    assert found({"a": "x"}, {"a": 1}, loose=True) == ["type changed $.a: number | string"]


def test_pieces_of_a_delta_are_taken_together():
    def delta(*calls):
        return {"object": "thread.run.step.delta", "delta": {"calls": list(calls)}}

    whole = delta({"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}})
    first, rest = (
        delta({"index": 0, "id": "a", "type": "function"}),
        delta({"index": 0, "function": {"arguments": "{"}}),
    )
    assert found(whole, first, rest) == ["field added $.delta.calls[*].function.name: nothing | string"]
    assert found(first, whole) == ["field missing $.delta.calls[*].function: object | nothing"]
    shapes = profile_of([("$", whole)])
    named = delta({"index": 0, "function": {"name": "f", "arguments": "{"}})
    assert list(unlike(profile_of([("$", first), ("$", named)]), shapes)) == []


def test_one_field_of_one_kind_is_one_cause():
    user, assistant = ({"object": "thread.message", "role": role, "a": 1} for role in ("user", "assistant"))
    known = profile_of([("$", user), ("$", {"object": "list", "data": [assistant]})])
    live = profile_of([("$", {**user, "a": ""}), ("$", {"object": "list", "data": [{**assistant, "a": ""}]})])
    assert len({each.cause for each in unlike(live, known)}) == 1


@given(VALUES)
def test_a_document_has_its_own_shape(value):
    assert found(value, value) == []


@given(VALUES, VALUES)
def test_what_was_recorded_is_never_unlike_the_recording(one, other):
    assert found(one, one, other) == []
    assert found(other, one, other) == []


@given(VALUES, VALUES)
def test_whatever_differs_can_be_shown(known, live):
    for line in found(live, known):
        line.encode("utf-8")
        assert "\n" not in line


def test_a_hostile_document_costs_no_more_than_the_caps():
    deep = json.loads("[" * 900 + "]" * 900)
    assert found(deep, deep) == []
    wide = Profile()
    wide.add({f"f{n}": {"x": n} for n in range(20_000)})
    assert len(wide.nodes) <= MOST_NODES
    assert (
        sum(len(node.fields) for states in wide.nodes.values() for node in states.values()) <= MOST_NODES + MOST_FIELDS
    )
    (said,) = found({"a\x1b]0;x\x07\u202e" * 50: 1}, {})
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert len(said) < 400


def test_types_have_the_names_of_json():
    assert [type_of(value) for value in (None, True, 1, 1.5, "", [], {})] == [
        "null", "boolean", "number", "number", "string", "list", "object",
    ]  # fmt: skip
