"""YAML and JSON as nodes: what text comes out, and what is refused, in bounded time."""

import contextlib
import sys
import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from respool.cassettes.errors import CassetteError, RespoolError, UsageError
from respool.cassettes.imports import json_source, yaml_source
from respool.cassettes.imports.fields import Allowance, Field, Node

STREAMED = {"interactions"}


def entries(text: str | bytes):
    return list(yaml_source.read(text.encode() if isinstance(text, str) else text, "some.yaml", STREAMED))


def one(text: str) -> Node:
    """The node under `a` in a map."""
    (entry,) = [entry for entry in entries(text) if entry.name == "a"]
    return entry.node


def test_scalars_stay_the_text_that_stands_in_the_file():
    for spelled in ("no", "12", "1e5", "2001-01-01", "0x10", "true", "'null'", '"~"'):
        assert one(f"a: {spelled}").value == spelled.strip("'\"")


@pytest.mark.parametrize("spelled", ["", "~", "null", "Null", "NULL", "!!null x"])
def test_plain_null_is_nothing(spelled):
    assert one(f"a: {spelled}\n").value is None


@pytest.mark.parametrize("tag", ["!!binary", "!binary", "!<tag:yaml.org,2002:binary>"])
def test_both_tags_for_bytes_are_read(tag):
    assert one(f"a: {tag} |-\n  AAEC\n  /w==\n").value == b"\x00\x01\x02\xff"


def test_a_list_under_a_streamed_name_comes_item_by_item_and_others_whole():
    found = entries("interactions:\n- x\n- y\nother:\n- z\n")
    assert [(entry.name, entry.item) for entry in found] == [
        ("interactions", 0),
        ("interactions", 1),
        ("interactions", None),
        ("other", None),
    ]
    assert isinstance(found[3].node.value, list)
    assert len(found[3].node.value) == 1


def test_an_alias_is_the_node_it_names():
    found = entries("interactions:\n- &one {x: &two [1, 2]}\n- *one\n- *two\n")
    assert found[0].node is found[1].node
    assert isinstance(found[0].node.value, dict)
    assert found[2].node is found[0].node.value["x"]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_any_text_that_pyyaml_writes_comes_back_exactly(text):
    written = yaml.dump({"a": {"string": text}}, default_flow_style=False)
    node = one(written)
    assert isinstance(node.value, dict)
    assert node.value["string"].value == text


REFUSED = {
    "!ruby/object:Gem::Requirement": "a: !ruby/object:Gem::Requirement\n  x: 1\n",
    "ruby/struct:VCR::HTTPInteraction": "a:\n- !ruby/struct:VCR::HTTPInteraction\n  x: 1\n",
    "python/object/apply:os.system": "a: !!python/object/apply:os.system [id]\n",
    "python/name": "a: !!python/name:os.system ''\n",
    "not base64": "a: !!binary '***'\n",
    "line 2: the key 'a' stands twice": "a: 1\na: 2\n",
    "where a key is expected": "? [x]\n: y\n",
    "key that is not text": "? ~\n: y\n",
    "names nothing": "a: *missing\n",
    "is finished": "a: &a [*a]\n",
    "second document": "a: 1\n---\na: 2\n",
    "list stands at the top": "- request: x\n",
    "single value": "just words\n",
    "deeper than": "a: " + "[" * 100_000,
    "nested": "".join("- " for _ in range(100_000)).join(["a:\n  ", ""]),
    "declares a tag": "%TAG !e! tag:example.com,2000:\n---\na: 1\n",
    "is not YAML": 'a: "unfinished\n',
}


@pytest.mark.parametrize(("said", "text"), REFUSED.items(), ids=list(REFUSED))
def test_what_no_recorder_writes_is_refused_with_its_line(said, text):
    began = time.monotonic()
    with pytest.raises(CassetteError) as caught:
        entries(text)
    assert said in caught.value.message
    assert caught.value.message.startswith("some.yaml: ")
    assert caught.value.hint
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("data", [b"a: \xff\xfe", b"a: \x00", "a: 1".encode("utf-16")], ids=["utf-8", "nul", "utf-16"])
def test_bytes_that_are_no_text_are_refused(data):
    with pytest.raises(CassetteError, match=r"some\.yaml: "):
        entries(data)


def test_billion_laughs_are_references_and_cost_nothing():
    lines = ["a0: &a0 [lol]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 100)]
    began = time.monotonic()
    assert len(entries("\n".join(lines))) == 100
    assert time.monotonic() - began < 2


def test_an_item_with_too_many_values_is_refused():
    with pytest.raises(CassetteError, match="one item holds more than 200,000 values"):
        entries("interactions:\n- [" + "x," * 200_001 + "]\n")


def test_aliases_count_as_values():
    with pytest.raises(CassetteError, match="one item holds more than 200,000 values"):
        entries("x: &x y\ninteractions:\n- [" + "*x ," * 200_001 + "]\n")


def test_items_that_all_want_to_be_kept_are_refused(monkeypatch):
    monkeypatch.setattr(yaml_source, "MOST_KEPT", 1000)
    with pytest.raises(CassetteError, match="more than 1,000 values are anchored"):
        entries("interactions:\n" + "".join(f"- &x{n} [1, 2, 3]\n" for n in range(300)))


def test_foreign_text_in_a_refusal_cannot_act_on_a_terminal():
    with pytest.raises(CassetteError) as caught:
        entries('"\\e[31m": 1\n"\\e[31m": 2\n')
    assert caught.value.message.isprintable()


def test_without_pyyaml_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(UsageError) as caught:
        entries("a: 1")
    assert caught.value.hint == "pip install 'pyyaml>=6.0'"


@settings(max_examples=300)
@given(st.text(alphabet="ab:-[]{}&*!|>'\"%#? \n\\,~", max_size=60))
def test_no_yaml_makes_anything_but_a_respool_error(text):
    with contextlib.suppress(RespoolError):
        entries(text)


def json_entries(data: bytes):
    return list(json_source.entries(json_source.read(data, "some.json"), "some.json", STREAMED))


def test_json_gives_the_same_nodes_with_numbers_as_they_stand():
    (entry,) = json_entries(b'\xef\xbb\xbf{"a": {"code": 200, "x": 1.50, "n": null, "l": ["\\ud83d\\ude00", true]}}')
    assert isinstance(entry.node.value, dict)
    assert entry.node.value["code"].value == "200"
    assert entry.node.value["x"].value == "1.50"
    assert entry.node.value["n"].value is None
    inner = entry.node.value["l"].value
    assert isinstance(inner, list)
    assert [node.value for node in inner] == ["\U0001f600", "true"]


def test_json_is_read_item_by_item_as_yaml_is():
    found = json_entries(b'{"interactions": ["x", "y"], "version": 1}')
    assert [(entry.name, entry.item) for entry in found] == [
        ("interactions", 0),
        ("interactions", 1),
        ("interactions", None),
        ("version", None),
    ]


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": ' + b"[" * 100_000,
        b"[" * 100_000,
        b'{"a": ' + b"[" * 70 + b"]" * 70 + b"}",
        b'{"a": NaN}',
        b'{"a": 1, "a": 2}',
        b'{"a": "\xff"}',
        b'{"a": 1',
        b"[]",
        b'{"a": ' + b"1" * 100_000 + b"}}",
    ],
    ids=["deep", "deep-list", "deep-but-whole", "nan", "twice", "utf-8", "cut", "list", "trailing"],
)
def test_json_that_no_recorder_writes_is_refused(data):
    with pytest.raises(CassetteError, match=r"some\.json: "):
        json_entries(data)


def test_json_that_is_too_large_is_refused_before_it_is_read(monkeypatch):
    monkeypatch.setattr(json_source, "MOST_BYTES", 10)
    with pytest.raises(CassetteError, match="10 are read at most"):
        json_source.read(b'{"a": "' + b"x" * 10 + b'"}', "some.json")


def test_a_field_says_file_place_and_line_when_it_is_not_what_it_should_be():
    field = Field(Node({"b": Node([], 7)}, 3), "f.yml", "items[2]", Allowance())
    with pytest.raises(CassetteError) as caught:
        field.need("b").text()
    assert caught.value.message == "f.yml: items[2].b (line 7): text is expected here, and this is a list"
    with pytest.raises(CassetteError, match=r"items\[2\] \(line 3\): `c` is missing"):
        field.need("c")


def test_the_allowance_of_an_import_is_one_for_all_its_files():
    allowance = Allowance(10)
    Field(Node("x" * 8), "a", "p", allowance).data()
    with pytest.raises(CassetteError, match=r"^b: q: the import comes to more than 10 bytes"):
        Field(Node("x" * 8), "b", "q", allowance).data()
