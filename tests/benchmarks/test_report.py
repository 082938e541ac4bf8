"""The report: ratios within rounds, verdicts, and tables that replace only their own part of a document."""

import pytest
from respool.benchmarks.report import (
    BEGIN,
    END,
    Ceiling,
    Finding,
    Ratio,
    Series,
    cost_table,
    plain,
    ratio_table,
    spread,
    write_document,
)

OURS = Series("ours", "us", [50.0, 100.0, 40.0], [20.0, 10.0, 25.0])
THEIRS = Series("theirs", "us", [40.0, 60.0, 40.0], [25.0, 20.0, 25.0])


def test_a_ratio_is_taken_round_by_round_and_above_one_is_cheaper():
    ratio = Ratio("ours : theirs", OURS, THEIRS, 0.7)
    assert ratio.values() == [0.8, 0.6, 1.0]
    assert ratio.rate_values() == [0.8, 0.5, 1.0]
    assert ratio.verdict == "met"
    assert Ratio("ours : theirs", OURS, THEIRS, 0.9).verdict == "not met"
    assert Ratio("ours : theirs", OURS, THEIRS).verdict == ""


def test_rounds_that_are_missing_are_not_passed_over():
    with pytest.raises(ValueError, match="shorter"):
        Ratio("a : b", OURS, Series("b", "us", [1.0])).values()


def test_a_ceiling_holds_for_the_median():
    assert Ceiling("below", OURS, 51).verdict == "met"
    assert Ceiling("below", OURS, 50).verdict == "not met"


def test_tables_show_median_and_spread():
    finding = Finding("replay", [OURS, THEIRS], [Ratio("ours : theirs", OURS, THEIRS, 0.7)], [Ceiling("low", OURS, 10)])
    assert spread([3.0, 1.0, 2.0], 1) == "2.0 (1.0..3.0)"
    assert ratio_table([finding])[1:] == [
        ["ours : theirs", "0.80 (0.60..1.00)", "0.80 (0.50..1.00)", ">= 0.7", "met"],
        ["low", "50.0 (40.0..100.0) us", "", "< 10 us", "not met"],
    ]
    assert cost_table([finding])[1] == ["replay", "ours", "50.0 (40.0..100.0)", "us", "20 (10..25)"]
    assert plain([["a", "b"], ["long", "x"]]).splitlines() == ["a     b", "----  -", "long  x"]


def test_a_document_keeps_what_is_around_the_tables(tmp_path):
    path = tmp_path / "benchmarks.md"
    path.write_text(f"# Title\n\n{BEGIN}\nold\n{END}\n\nlast words\n", encoding="utf-8")
    finding = Finding("replay", [OURS], remarks=["so it was"])
    write_document(path, [finding], [("processor", "a | b")])
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# Title\n\n{BEGIN}\n\n| compared |")
    assert text.endswith(f"- processor: a | b\n\n{END}\n\nlast words\n")
    assert "old" not in text
    assert "- replay: so it was" in text
    write_document(path, [finding], [("processor", "a | b")])
    assert path.read_text(encoding="utf-8") == text


def test_a_document_without_a_place_for_tables_is_left_alone(tmp_path):
    path = tmp_path / "benchmarks.md"
    path.write_text("# Title\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no place"):
        write_document(path, [], [])
    assert path.read_text(encoding="utf-8") == "# Title\n"
