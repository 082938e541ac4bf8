"""Shapes are found by their form alone, each rule's where its marker stands, and a marker alone is none."""

import pytest
from respool.cassettes.secrets.shapes import at_markers, at_words, has_marker, shapes
from respool.cassettes.secrets.table import ANYWHERE, RULES


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_is_found_in_its_half(rule):
    text = b"before " + rule.example + b", after"
    found = at_words(text) if rule.word else at_markers(text)
    assert rule.name in [span.rule for span in found]
    assert sorted(shapes(text)) == sorted(at_words(text) + at_markers(text))
    assert has_marker(text) or rule.word


def test_a_name_beside_a_value_is_no_shape():
    assert shapes(b'{"password": "hunter2hunter2"}') == []


def test_there_is_no_marker_in_ordinary_text():
    assert not has_marker(b'{"id": "run_abc123DEF456ghi789JKL012", "object": "thread.run", "note": "a = b, 10% off"}')
    for marker, _ in ((marker, rule) for _, guarded in ANYWHERE for marker, rule in guarded):
        assert has_marker(b"x " + marker + b" y")
