"""Two rows, or two cassettes, compared: what is shown of what differs, and how much."""

import pytest
from respool.cassettes.errors import CassetteError
from respool.cassettes.extract import Extract
from respool.cassettes.interaction import Body, Interaction, Request, Response
from respool.cassettes.reader import Reader
from respool.inspector.differ import MOST_LINES, by_meaning, by_text, with_cassette


def text(document):
    return "\n".join(line.text for line in document.lines)


def test_two_calls_differ_line_by_line(made):
    one, other = made.call("GET /a", None, {"n": 1, "same": 2}), made.call("GET /a", None, {"n": 3, "same": 2})
    shown = text(by_text(one, other)).split("\n")
    assert '-   "n": 1,' in shown
    assert '+   "n": 3,' in shown
    assert "equal to the letter" in text(by_text(one, one))


def test_two_runs_of_a_thread_are_compared_by_meaning(made, cassette):
    at = "/threads/thread_a/runs"
    calls = [
        made.call(f"POST {at}", {}, made.run(f"run_{number}", state))
        for number, state in enumerate(("completed", "failed"))
    ]
    with Reader.open(cassette(*made.thread("thread_a"), *calls)) as reader:
        shown = text(by_meaning(Extract(reader, "thread_a", [1]), Extract(reader, "thread_a", [2]), ("one", "two")))
        assert "-  completed" in shown
        assert "+  failed" in shown
        same = text(by_meaning(Extract(reader, "thread_a", [1]), Extract(reader, "thread_a", [1]), ("one", "two")))
        assert "They say the same" in same


def answered(body, **more):
    return Interaction(0, 0, Request("GET", b"/a"), Response(200, body=Body.of(body)), **more)


def test_equal_lines_far_from_a_change_are_counted_instead_of_shown():
    before = [f"line {number}" for number in range(40)]
    after = [*before[:20], "another", *before[21:]]
    shown = text(by_text(answered("\n".join(before).encode()), answered("\n".join(after).encode()))).split("\n")
    at = shown.index("- line 20")
    assert shown[at + 1] == "+ another"
    assert shown[at - 3 : at] == ["  line 17", "  line 18", "  line 19"]
    assert shown[at + 2 : at + 5] == ["  line 21", "  line 22", "  line 23"]
    assert shown[at + 5 :] == ["  ⋯ 16 equal lines"]


def test_a_header_in_other_case_and_json_in_another_order_of_lines_are_told_apart():
    one = Interaction(0, 0, Request("GET", b"/a", ((b"Accept", b"x"),)), None)
    other = Interaction(0, 0, Request("GET", b"/a", ((b"accept", b"x"),)), None)
    assert "equal to the letter" in text(by_text(one, other)), "the case of a header's name says nothing"


def test_a_status_and_an_answer_that_is_missing_are_differences():
    shown = text(by_text(answered(b"ok"), Interaction(0, 0, Request("GET", b"/a"), None)))
    assert "- answer 200" in shown
    assert "- ok" in shown


def test_the_two_are_named_by_their_numbers_or_as_is_said():
    shown = text(by_text(answered(b"1", scope=""), answered(b"2"), ("as recorded", "sent again"))).split("\n")
    assert shown[:2] == ["- as recorded", "+ sent again"]
    assert text(by_text(answered(b"1"), answered(b"2"))).startswith("- call 0\n+ call 0")


def test_what_is_too_long_to_be_compared_is_said():
    body = b"x\n" * (MOST_LINES + 10)
    assert "too long to be compared" in text(by_text(answered(body), answered(b"y")))


def test_calls_of_no_thread_have_no_meaning_to_compare_and_none_has_none(made, cassette):
    with Reader.open(cassette(*made.assistants(), *made.thread("thread_a"))) as reader:
        paths, thread = Extract(reader, "/assistants"), Extract(reader, "thread_a")
        nothing = Extract(reader, "thread_a", [])
        assert "mark two of their calls" in text(by_meaning(paths, thread, ("one", "two")))
        assert "no calls" in text(by_meaning(thread, nothing, ("one", "two")))


def test_another_cassette_is_compared_by_meaning_and_what_is_wrong_with_it_is_said_first(made, cassette):
    one = cassette(*made.thread("thread_a", "Hello"), name="one.cassette")
    other = cassette(*made.thread("thread_z", "Good day"), name="other.cassette")
    with Reader.open(one) as reader:
        shown = text(with_cassette(other, reader, lambda: True))
        assert shown.split("\n")[:2] == [f"- {other}", f"+ {one}"]
        assert "2 differences, ids and times aside" in shown
        assert with_cassette(other, reader, lambda: False) is None, "nobody is there any more"
        with pytest.raises(CassetteError):
            with_cassette(one.parent / "none.cassette", reader, lambda: True)
    cut = other.with_name("cut.cassette")
    cut.write_bytes(other.read_bytes()[:-40])
    with Reader.open(one) as reader:
        first = with_cassette(cut, reader, lambda: True).lines[0]
        assert first.spans[0][1] == "wait"


def test_hostile_text_in_what_differs_is_harmless(made):
    shown = text(by_text(answered(made.HOSTILE.encode()), answered(b"2")))
    assert all(char.isprintable() or char == "\n" for char in shown)
