"""Ids in bytes, written over as whole words, all at once, in a body or in its pieces."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from respool.cassettes.renaming import LONGEST, MOST_IDS, Permutation, Renaming, Rewriter, is_id

SWAP = Renaming({b"thread_a": b"thread_b", b"thread_b": b"thread_a", b"run_one": b"run_three"})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"/v1/threads/thread_a/runs/run_one?after=thread_b", b"/v1/threads/thread_b/runs/run_three?after=thread_a"),
        (b'{"id": "thread_a", "thread_id":"thread_b"}', b'{"id": "thread_b", "thread_id":"thread_a"}'),
        (b"thread_ab xthread_a thread_a-1 thread_a_b", b"thread_ab xthread_a thread_a-1 thread_a_b"),
        (b"see thread_a. (thread_b)", b"see thread_b. (thread_a)"),
        (
            b'{"text": "see\\nthread_a\\u000athread_b\\\\thread_a"}',
            b'{"text": "see\\nthread_b\\u000athread_a\\\\thread_b"}',
        ),
        (b"?url=%2Fthreads%2Fthread_a%2fruns", b"?url=%2Fthreads%2Fthread_b%2fruns"),
        (b"data: run_one\n\ndata: run_one\r\n", b"data: run_three\n\ndata: run_three\r\n"),
        (b"\xff\x00thread_a\xff", b"\xff\x00thread_b\xff"),
    ],
)
def test_whole_words_are_replaced_at_once(before, after):
    assert SWAP.apply(before) == after


@given(
    st.lists(
        st.sampled_from([b"thread_a", b"thread_b", b"run_one", b"run", b"_one", b"\\n", b"\\", b" ", b"%2F", b"x" * 90])
    ),
    st.lists(st.integers(0, 500)),
)
def test_a_body_in_pieces_is_written_as_the_whole_body_is(words, cuts):
    data = b"".join(words)
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [(data[begin:end], end) for begin, end in pairwise(places)]
    renamed = list(SWAP.pieces(pieces))
    assert b"".join(piece for piece, _ in renamed) == SWAP.apply(data)
    moments = [moment for _, moment in renamed]
    assert moments == sorted(moments)
    assert set(moments) <= {end for _, end in pieces}


def test_pieces_that_end_between_words_stay_as_they_are():
    pieces = [(b"data: thread_a\n\n", 1), (b"data: thread_", 2), (b"b\n\n", 3)]
    assert list(SWAP.pieces(pieces)) == [(b"data: thread_b\n\n", 1), (b"data: ", 2), (b"thread_a\n\n", 3)]


def test_a_word_without_end_is_not_held_back():
    pieces = [(b"x" * 100, number) for number in range(50)]
    most = 0
    sent = 0
    for number, (piece, _) in enumerate(SWAP.pieces(iter(pieces))):
        sent += len(piece)
        most = max(most, (number + 1) * 100 - sent)
    assert sent == 5000
    assert most <= 1024 + 100


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=20))
def test_a_permutation_stays_one_whatever_is_installed(pairs):
    permutation = Permutation()
    ids = [b"thread_%d" % number for number in range(6)]
    for recorded, name in pairs:
        permutation.install(ids[recorded], ids[name])
        assert permutation.name(ids[recorded]) == ids[name]
    assert sorted(map(permutation.name, ids)) == ids
    assert [permutation.recorded(permutation.name(each)) for each in ids] == ids
    names, recorded = permutation.renamings()
    assert [recorded.image(names.image(each)) for each in ids] == ids
    assert all(before != after for before, after in names.images.items())


def test_the_ids_that_are_renamed_are_bounded():
    permutation = Permutation()
    number = 0
    while permutation.has_room(1):
        permutation.install(b"thread_a%d" % number, b"thread_b%d" % number)
        number += 1
    assert len(permutation.renamings()[0].images) == MOST_IDS


PARTS = st.sampled_from(
    [
        b"run_1",
        b"run_22",
        b"a" * 90,
        b"b" * 700,
        b"\\n",
        b"\\\\",
        b"\\u005f",
        b"%",
        b"%2F",
        b" ",
        b'"',
        b"\n\n",
        b"_",
        "é".encode(),
    ]
)


@given(st.lists(PARTS, max_size=40), st.lists(st.integers(1, 300), min_size=1, max_size=30))
def test_a_stream_is_rewritten_as_the_whole_text_however_it_is_cut(parts, lengths):
    names = {b"run_1": b"run_number_one", b"run_22": b"r-2"}
    text = b"".join(parts)
    rewriter = Rewriter(names)
    out, at, turn = [], 0, 0
    while at < len(text):
        length = lengths[turn % len(lengths)]
        out.append(rewriter.feed(text[at : at + length]))
        at, turn = at + length, turn + 1
    assert b"".join([*out, rewriter.finish()]) == Renaming(names).apply(text)


def test_an_event_is_given_out_when_it_is_whole_and_memory_is_bounded():
    rewriter = Rewriter({b"run_1": b"run_9"})
    assert rewriter.feed(b"data: run_1\n\ndata: ru") == b"data: run_9\n\ndata: "
    assert rewriter.feed(b"n_1 ") == b"run_9 "
    for _ in range(100):
        rewriter.feed(b"x" * 1000)
        assert len(rewriter._held) <= 8 * LONGEST


def test_an_id_is_a_word_of_some_length():
    assert is_id(b"asst_1", least=3)
    assert is_id(b"x" * 128, least=3)
    assert not is_id(b"asst_1", least=7)
    assert not is_id(b"a b", least=3)
    assert not is_id(b"x" * 129, least=3)
