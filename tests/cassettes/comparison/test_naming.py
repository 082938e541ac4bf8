"""Ids as names: what is learned, what it is compared with, and what stays a value."""

from respool.cassettes.comparison.naming import Given, Names


def names(left=(), right=()):
    sides = Given(), Given()
    for side, given in zip(sides, (left, right), strict=True):
        for name, kind in given:
            side.add(name, kind)
    return Names(*sides)


def test_ids_that_belong_together_say_the_same_wherever_they_stand():
    known = names()
    known.learn("thread_1", "thread_9")
    assert known.same("see thread_1!", "see thread_9!")
    assert known.same("/threads/thread_1/runs", "/threads/thread_9/runs")
    assert not known.same("see thread_12!", "see thread_92!")
    assert not known.same("see thread_1!", "see thread_1!")


def test_ids_that_both_upstreams_gave_are_learned_where_they_stand_in_the_same_place():
    known = names([("file-1aa", "file"), ("file-2aa", "file")], [("file-8aa", "file"), ("file-9aa", "file")])
    assert known.same("file-1aa and file-2aa", "file-8aa and file-9aa")
    assert not known.same("file-1aa", "file-9aa")
    assert known.same("file-2aa", "file-9aa")


def test_what_a_client_wrote_of_itself_and_another_kind_of_thing_are_no_names():
    known = names([("file-1aa", "file"), ("run_1aa", "run")], [("file-8aa", "file")])
    assert not known.same("order-17", "order-18")
    assert not known.same("run_1aa", "file-8aa")
    assert not known.same("file-1aa file-1aa", "file-8aa file-9aa")


def test_one_id_is_not_two_objects():
    known = names([("msg_1a", "message"), ("msg_2a", "message")], [("msg_8a", "message"), ("msg_9a", "message")])
    assert not known.same("msg_1a msg_2a", "msg_8a msg_8a")
    assert not known.same("msg_1a msg_1a", "msg_8a msg_9a")


def test_masked_texts_of_two_recordings_are_equal():
    known = names([("msg_1a", "message")], [("msg_8a", "message")])
    assert (
        known.left.masked("I mean msg_1a.")
        == known.right.masked("I mean msg_8a.")
        != known.left.masked("I mean msg_8a.")
    )


def test_texts_that_no_encoding_takes_are_compared_all_the_same():
    known = names()
    known.learn("thread_1", "thread_9")
    known.learn("\ud800", "thread_7")
    assert known.same("\ud800 thread_1", "\ud800 thread_9")
