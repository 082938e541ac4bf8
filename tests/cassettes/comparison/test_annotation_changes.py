"""One change of an annotation is one finding, and what follows from a changed text is told with the text alone."""

import json
from collections.abc import Callable
from typing import Any

from changes import Change, Mutation, both, each_of, everywhere, objects, told_once
from recorded_conversation import operation_of, write
from respool.cassettes.comparison import compare
from respool.cassettes.reader import Reader

PICTURE = {"type": "image_url", "image_url": {"url": "https://shop.test/a.png", "detail": "low"}}


def reply(edit: Callable[[dict[str, Any]], Any]) -> Change:
    """The reply that cites a file, changed wherever it is told."""
    return objects("thread.message", edit, nth=1)


def annotated(**members: Any) -> Callable[[dict[str, Any]], None]:
    """Members of its citation; None takes one out."""

    def edit(message: dict[str, Any]) -> None:
        note = message["content"][0]["text"]["annotations"][0]
        note.update(members)
        for name in [name for name, value in note.items() if value is None]:
            del note[name]

    return edit


def cited_again(message: dict[str, Any]) -> None:
    notes = message["content"][0]["text"]["annotations"]
    notes.append(notes[0] | {"text": "42", "start_index": 6, "end_index": 8})


MUTATIONS = [
    Mutation(
        "annotation",
        everywhere("file-manual", "file-other"),
        "thread 1, message 2",
        "annotations[0].file_citation.file_id",
        "file-manual",
        "file-other",
    ),
    Mutation(
        "quotation of an annotation",
        reply(annotated(file_citation={"file_id": "file-manual", "quote": "It is 42."})),
        "thread 1, message 2",
        "annotations[0].file_citation.quote",
        None,
        "It is 42.",
    ),
    Mutation(
        "offset of an annotation",
        reply(annotated(start_index=13)),
        "thread 1, message 2",
        "annotations[0].start_index",
        "14",
        "13",
    ),
    Mutation(
        "text of an annotation",
        reply(annotated(text="[2]")),
        "thread 1, message 2",
        "annotations[0].text",
        "[1]",
        "[2]",
    ),
    Mutation(
        "both ends of an annotation",
        reply(annotated(start_index=0, end_index=2)),
        "thread 1, message 2",
        "annotations[0]",
        '"start_index": 14',
        '"start_index": 0',
    ),
    Mutation(
        "path in place of a citation",
        reply(annotated(type="file_path", file_citation=None, file_path={"file_id": "file-manual"})),
        "thread 1, message 2",
        "annotations[0]",
        '"type": "file_citation"',
        '"type": "file_path"',
    ),
    Mutation(
        "file of a path",
        both(
            reply(annotated(type="file_path", file_citation=None, file_path={"file_id": "file-manual"})),
            everywhere("file-manual", "file-other"),
        ),
        "thread 1, message 2",
        "annotations[0]",
        "file-manual",
        "file-other",
    ),
    Mutation(
        "same citation in a second place",
        reply(cited_again),
        "thread 1, message 2",
        "annotations[1]",
        None,
        "file-manual",
    ),
    Mutation(
        "text before an annotation, which moves it",
        both(everywhere("It is 42", "Well, it is 42"), reply(annotated(start_index=20, end_index=23))),
        "thread 1, message 2",
        "text",
        "It is 42, see [1].",
        "Well, it is 42, see [1].",
    ),
    Mutation(
        "what an annotation stands for in the text",
        everywhere("[1]", "[2]"),
        "thread 1, message 2",
        "text",
        "see [1].",
        "see [2].",
    ),
    Mutation(
        "picture before an annotated text",
        reply(lambda message: message["content"].insert(0, PICTURE)),
        "thread 1, message 2",
        "content[0]",
        None,
        "https://shop.test/a.png",
    ),
]


@each_of(MUTATIONS)
def test_a_change_of_an_annotation_is_one_finding_that_names_the_field_and_both_values(
    tmp_path, calls, recorded, mutation
):
    told_once(tmp_path, calls, recorded, mutation)


def test_another_quotation_of_the_same_place_is_told(tmp_path, calls):
    def quoting(words):
        change = reply(annotated(file_citation={"file_id": "file-manual", "quote": words}))
        return write(tmp_path / f"{len(words)}.cassette", change(calls))

    with Reader.open(quoting("It is 42.")) as left, Reader.open(quoting("It was 42.")) as right:
        (finding,) = compare(left, right)
    assert finding.field == "annotations[0].file_citation.quote"
    assert (finding.left, finding.right) == ("It is 42.", "It was 42.")


def test_offsets_that_differ_because_an_id_is_longer_are_none(tmp_path, calls):
    """The text names the message that it answers; the id of that has another length in the other recording."""
    asked = next(call for call in calls if operation_of(call) == "createMessage")
    name = json.loads(asked.response.body.read())["id"]
    paths = []
    for number, (longer, start) in enumerate((("", 20), ("AB", 22))):
        told = everywhere("It is 42", f"In {name}: it is 42")(calls)
        told = reply(annotated(start_index=start, end_index=start + 3))(told)
        paths.append(write(tmp_path / f"{number}.cassette", everywhere(name, name + longer)(told)))
    with Reader.open(paths[0]) as left, Reader.open(paths[1]) as right:
        assert compare(left, right) == []
