"""Markdown: what is told, and that foreign text never leaves its code."""

import json
import re

from hypothesis import example, given
from hypothesis import strategies as st
from respool.cassettes.exports import FORMATS
from respool.cassettes.exports.markdown import block, span
from respool.cassettes.interaction import Body, Interaction, Request, Response

JSON = ((b"content-type", b"application/json"),)


def said(text: str) -> tuple[Interaction, ...]:
    message = {"id": "msg_1", "object": "thread.message", "role": "user", "created_at": 1, "thread_id": "thread_1",
               "content": [{"type": "text", "text": {"value": text, "annotations": []}}]}  # fmt: skip
    return (
        Interaction(0, 1, Request("POST", b"/v1/threads", JSON, Body.of(b"{}")),
                    Response(200, b"", JSON, Body.of(b'{"id": "thread_1", "object": "thread"}'))),
        Interaction(1, 2, Request("POST", b"/v1/threads/thread_1/messages", JSON, Body.of(b"{}")),
                    Response(200, b"", JSON, Body.of(json.dumps(message).encode()))),
    )  # fmt: skip


def test_a_thread_is_a_chapter_and_a_message_a_section(made):
    text = "".join(FORMATS["markdown"](made(*said("Where is order 118?"))))
    assert text.startswith(
        "# Cassette `made`\n\n## Thread `thread_1`\n\n### User\n\n```text\nWhere is order 118?\n```\n"
    )


def outside(markdown: str) -> str:
    """What CommonMark reads as text: all but fenced blocks and code spans."""
    kept, fence = [], ""
    for line in markdown.split("\n"):
        opening = re.match("`{3,}", line)
        if fence:
            if re.fullmatch(f"`{{{len(fence)},}} *", line):
                fence = ""
        elif opening:
            fence = opening[0]
        else:
            kept.append(line)
    assert not fence, "a block is not closed"
    return re.sub(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", "\n".join(kept))


@given(st.text(alphabet="`~#<>![]()@X\n\r\t \x1b\u202e*_|-", max_size=40))
@example("```\n# X\n")
@example("````X``")
@example("`")
@example(" ` X")
def test_no_text_leaves_its_block_or_its_span(made, text):
    assert outside("".join(block(text))).strip() == ""
    assert "\n" not in span(text)
    assert outside(f"a {span(text)} b").split() == ["a", "b"]
    whole = "".join(FORMATS["markdown"](made(*said(text))))
    assert not set("X@<[!*|") & set(outside(whole))
    assert not set("\x1b\u202e\r") & set(whole)
