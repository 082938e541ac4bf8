"""Lists by the page, as a table, and as a client walks through them."""

import pytest
from respool.proxy.sandbox.errors import ApiError
from respool.proxy.sandbox.pages import cut
from respool.proxy.sandbox.validation import Page, check_page

LETTERS = "abcdefgh"


@pytest.mark.parametrize(
    ("page", "items", "has_more"),
    [
        (Page(), "hgfedcba", False),
        (Page(descending=False), "abcdefgh", False),
        (Page(limit=3), "hgf", True),
        (Page(limit=3, descending=False), "abc", True),
        (Page(limit=8), "hgfedcba", False),
        (Page(limit=3, after="f"), "edc", True),
        (Page(limit=3, after="f", descending=False), "gh", False),
        (Page(limit=2, after="d", descending=False), "ef", True),
        (Page(after="a"), "", False),
        (Page(before="h"), "", False),
        (Page(limit=3, before="d", descending=False), "abc", False),
        (Page(limit=2, before="d", descending=False), "bc", True),
        (Page(limit=2, before="d"), "fe", True),
        (Page(after="g", before="c"), "fed", False),
        (Page(limit=2, after="g", before="c"), "fe", True),
        (Page(after="c", before="g"), "", False),
    ],
)
def test_a_page_is(page, items, has_more):
    found, more = cut(LETTERS, page, "letter", str)
    assert ("".join(found), more) == (items, has_more)


def test_a_cursor_that_is_not_in_the_list_is_a_404():
    with pytest.raises(ApiError, match="No letter found with id 'z'"):
        cut(LETTERS, Page(after="z"), "letter", str)


def test_the_query_says_the_page():
    assert check_page({}) == Page(20, True, None, None)
    query = {"limit": "5", "order": "asc", "after": "x", "before": "y"}
    assert check_page(query) == Page(5, False, "x", "y")
    assert check_page({"after": "", "before": ""}) == Page()


async def test_a_client_walks_through_all_messages_in_both_orders(api):
    messages = [{"role": "user", "content": str(number)} for number in range(25)]
    thread = (await api.do("createThread", {"messages": messages}))["id"]
    for order, expected in (("asc", range(25)), ("desc", range(24, -1, -1))):
        seen, after = [], ""
        while True:
            page = await api.do("listMessages", query=f"?limit=10&order={order}{after}", thread_id=thread)
            assert page["first_id"] == page["data"][0]["id"]
            assert page["last_id"] == page["data"][-1]["id"]
            seen += [item["content"][0]["text"]["value"] for item in page["data"]]
            if not page["has_more"]:
                break
            after = f"&after={page['last_id']}"
        assert seen == [str(number) for number in expected]
    assert len((await api.do("listMessages", thread_id=thread))["data"]) == 20


async def test_an_empty_list_has_no_first_and_last(api):
    thread = (await api.do("createThread"))["id"]
    page = await api.do("listMessages", thread_id=thread)
    nothing = "" if api.version == 1 else None
    assert page == {"object": "list", "data": [], "first_id": nothing, "last_id": nothing, "has_more": False}


async def test_messages_can_be_listed_by_run(api):
    thread = await api.thread()
    runs = []
    for text in ("first", "second"):
        runs.append(await api.run(f'say "{text}"', thread_id=thread))
        await api.poll(runs[-1], after=5)
    listed = await api.do("listMessages", query=f"?run_id={runs[1]['id']}", thread_id=thread)
    assert [item["content"][0]["text"]["value"] for item in listed["data"]] == ["second"]


async def test_runs_steps_and_files_come_by_the_page_too(api2):
    thread = await api2.thread()
    attachments = [{"file_id": f"file-{number}", "tools": []} for number in range(3)]
    body = {"role": "user", "content": "x", "attachments": attachments}
    message = await api2.do("createMessage", body, thread_id=thread)
    page = await api2.do("listMessageFiles", query="?limit=2", thread_id=thread, message_id=message["id"])
    assert [item["id"] for item in page["data"]] == ["file-2", "file-1"]
    assert page["has_more"] is True
    run = await api2.run('search; search; say "x"', thread_id=thread)
    await api2.poll(run, after=5)
    page = await api2.do("listRunSteps", query="?limit=1&order=asc", thread_id=thread, run_id=run["id"])
    assert (len(page["data"]), page["has_more"]) == (1, True)
    page = await api2.do("listRuns", query=f"?before={run['id']}", thread_id=thread)
    assert page["data"] == []
