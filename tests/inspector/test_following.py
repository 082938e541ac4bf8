from respool.inspector.following import FollowingList, _place_of
from respool.inspector.outline import Branch, Face, Kind, Outline, Row


def thread(name):
    return Row(Kind.THREAD, name)


def call(scope, number, kind=Kind.EXCHANGE, run=""):
    return Row(kind, scope, run, str(number))


def test_what_comes_stands_behind_what_is_there_and_before_the_other_calls():
    outline = Outline(["thread_a", "/assistants"])
    outline.grow([thread("thread_b")])
    miss = Row(Kind.MISS, "thread_a", "", "7")
    outline.grow([miss], ["/files"])
    assert outline.rows == [thread("thread_a"), thread("thread_b"), miss, Row(Kind.OTHER)]
    assert outline.rows[outline.newest] == miss
    assert outline.collections == ("/assistants", "/files")
    outline.open(3)
    outline.grow([], ["/vector_stores"])
    assert outline.rows[-1] == Row(Kind.COLLECTION, "/vector_stores")
    assert miss.arrival == 7
    assert miss.depth == 0


def test_an_outline_that_begins_empty_grows_too():
    outline = Outline([])
    assert outline.newest == -1
    outline.grow([], ["/assistants"])
    assert outline.rows == [Row(Kind.OTHER)]
    outline.grow([thread("thread_a")])
    assert outline.rows == [thread("thread_a"), Row(Kind.OTHER)]
    assert outline.newest == 0


def test_in_a_narrowed_outline_nothing_grows_until_the_filter_is_off():
    outline = Outline(["thread_a"])
    outline.narrow({"thread_a": {1}})
    outline.grow([thread("thread_b")])
    assert outline.rows == [thread("thread_a")]
    outline.narrow(None)
    assert outline.rows == [thread("thread_a"), thread("thread_b")]


def test_a_row_is_found_again_wherever_it_went_or_by_what_it_was_folded_into():
    rows = [thread("thread_a"), call("thread_a", 1), call("thread_a", 2, Kind.POLLS), thread("thread_b")]
    assert _place_of(rows, thread("thread_b"), 1) == 3
    assert _place_of(rows, call("thread_a", 1), 1) == 1
    assert _place_of(rows, call("thread_a", 3), 3) == 2  # one of the polls by now
    assert _place_of(rows, thread("thread_z"), 9) == 3


def test_what_a_miss_says_is_told_by_who_knows():
    outline = Outline(["thread_a"])
    miss = Row(Kind.MISS, "thread_a", "", "7")
    outline.tell(miss, Face("MISS POST /messages", "why? w", "bad"))
    outline.grow([miss])
    outline.learn(Branch(thread("thread_a"), Face("thread_a")))
    assert outline.face(miss).text == "MISS POST /messages"
    assert not outline.may_open(miss)


def test_a_filter_takes_neither_a_held_call_nor_a_miss_from_who_turns_it_off():
    outline = Outline(["thread_a"])
    miss, held = Row(Kind.MISS, "thread_a", "", "7"), Row(Kind.HELD, "", "", "8")
    outline.grow([miss])
    outline.grow([held])
    outline.narrow({})
    assert outline.rows == [held]
    later = Row(Kind.HELD, "", "", "9")
    outline.grow([later])
    assert outline.rows == [held, later]
    outline.remove(held)
    outline.narrow(None)
    assert outline.rows == [thread("thread_a"), miss, later]


def test_what_a_filter_finds_later_stands_before_held_calls():
    outline = Outline([])
    held = Row(Kind.HELD, "", "", "8")
    outline.grow([held])
    hits = {}
    outline.narrow(hits)
    hits |= {"thread_a": {1}, "/assistants": {2}}
    outline.found_more()
    assert outline.rows == [thread("thread_a"), held, Row(Kind.OTHER)]


async def test_a_cursor_that_stands_at_the_end_already_draws_nothing_again(made, cassette, looking, monkeypatch):
    async with looking(cassette(*made.thread("thread_a"), *made.thread("thread_b"))) as look:
        pane = FollowingList(look.app._outline, look.app.notes)
        await look.app.mount(pane)
        drawn = []
        monkeypatch.setattr(pane, "refresh_rows", lambda: drawn.append(pane.cursor))
        assert pane.follow()
        assert not pane.follow()
        assert drawn == [1]
