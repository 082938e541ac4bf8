"""Every operation, in both versions, against the strict models of that version."""

from respool.cassettes.operations import OPERATIONS

FUNCTION = {"name": "lookup_order", "parameters": {"type": "object", "properties": {"id": {"type": "integer"}}}}
TOOLS = [{"type": "function", "function": FUNCTION}]


async def test_every_operation_answers_in_the_shape_of_its_version(api):
    files = {"file_ids": ["file-abc123"]}
    if api.version == 2:
        files = {"attachments": [{"file_id": "file-abc123", "tools": [{"type": "file_search"}]}]}
    thread = await api.do("createThread", {"metadata": {"a": "b"}})
    at = {"thread_id": thread["id"]}
    await api.do("getThread", **at)
    assert (await api.do("modifyThread", {"metadata": {"c": "d"}}, **at))["metadata"] == {"c": "d"}
    message = await api.do("createMessage", {"role": "user", "content": "Where is order 118?", **files}, **at)
    there = at | {"message_id": message["id"]}
    assert (await api.do("getMessage", **there)) == message
    await api.do("modifyMessage", {"metadata": {"seen": "yes"}}, **there)
    assert (await api.do("listMessageFiles", **there))["data"][0]["id"] == "file-abc123"
    assert (await api.do("getMessageFile", file_id="file-abc123", **there))["message_id"] == message["id"]

    run = await api.do("createRun", {"assistant_id": "asst_abc123", "tools": TOOLS}, **at)
    assert run["status"] == "queued"
    run = await api.poll(run, after=2)
    assert run["status"] == "requires_action"
    [call] = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    assert (call["function"]["name"], call["function"]["arguments"]) == ("lookup_order", '{"id": 118}')
    assert (await api.submit(run))["status"] == "queued"
    run = await api.poll(run, after=2)
    assert run["status"] == "completed"
    assert run["usage"]["total_tokens"] == run["usage"]["prompt_tokens"] + run["usage"]["completion_tokens"] > 0
    await api.do("modifyRun", {"metadata": {"done": "yes"}}, run_id=run["id"], **at)
    tool_step, message_step = await api.steps(run)
    assert tool_step["step_details"]["tool_calls"][0]["function"]["output"] == "shipped"
    await api.do("getRunStep", run_id=run["id"], step_id=message_step["id"], **at)
    assert [item["role"] for item in await api.messages(thread["id"])] == ["user", "assistant"]

    other = await api.do(
        "createThreadAndRun",
        {"assistant_id": "asst_abc123", "thread": {"messages": [{"role": "user", "content": "Hello"}]}},
    )
    cancelled = await api.do("cancelRun", thread_id=other["thread_id"], run_id=other["id"])
    assert cancelled["status"] == "cancelling"
    assert (await api.poll(other, after=1))["status"] == "cancelled"
    assert [item["id"] for item in (await api.do("listRuns", **at))["data"]] == [run["id"]]
    await api.do("deleteMessage", **there)
    assert (await api.do("deleteThread", **at)) == {"id": thread["id"], "object": "thread.deleted", "deleted": True}
    assert {operation for operation, _, _ in api.seen} == {row.name for row in OPERATIONS}


async def test_a_thread_of_one_version_shows_in_the_other(api2):
    blocks = [
        {"type": "text", "text": "Look"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "image_file", "image_file": {"file_id": "file-img"}},
    ]
    thread = await api2.do(
        "createThread",
        {"tool_resources": {"file_search": {"vector_stores": [{"file_ids": ["file-1"]}]}}},
    )
    assert thread["tool_resources"]["file_search"]["vector_store_ids"][0].startswith("vs_")
    attachments = [{"file_id": "file-1", "tools": [{"type": "code_interpreter"}]}]
    body = {"role": "user", "content": blocks, "attachments": attachments}
    await api2.do("createMessage", body, thread_id=thread["id"])
    run = await api2.run('search "file-1" "a.pdf"; say "See [1]." cite "[1]" "file-1" "quoted"', thread_id=thread["id"])
    await api2.poll(run, after=5)
    second = await api2.messages(thread["id"])
    assert second[1]["content"][0]["text"]["annotations"][0]["file_citation"] == {"file_id": "file-1"}

    api2.version = 1
    await api2.do("getThread", thread_id=thread["id"])
    first = await api2.messages(thread["id"])
    assert first[0]["file_ids"] == ["file-1"]
    assert [block["type"] for block in first[0]["content"]] == ["text", "text", "image_file"]
    assert first[1]["content"][0]["text"]["annotations"][0]["file_citation"]["quote"] == "quoted"
    steps = await api2.steps(run)
    assert steps[0]["step_details"]["tool_calls"][0]["type"] == "retrieval"
    await api2.poll(run)


async def test_tools_are_named_as_the_version_names_them(open_api):
    api = await open_api(version=1)
    body = {"model": "gpt-4", "tools": [{"type": "retrieval"}, {"type": "code_interpreter"}], "file_ids": ["file-1"]}
    assistant = (await api.call("POST", "/v1/assistants", body)).payload
    assert assistant["tools"] == [{"type": "retrieval"}, {"type": "code_interpreter"}]
    assert assistant["file_ids"] == ["file-1"]
    run = await api.do("createRun", {"assistant_id": assistant["id"]}, thread_id=await api.thread())
    assert run["tools"] == assistant["tools"]
    assert run["file_ids"] == ["file-1"]
    api.version = 2
    assert (await api.poll(run))["tools"][0] == {"type": "file_search"}


async def test_an_incomplete_run_is_a_completed_one_in_the_first_version(open_api):
    api = await open_api(version=1)
    run = await api.run('say "Half a"; incomplete max_completion_tokens')
    assert (await api.poll(run, after=5))["status"] == "completed"
    api.version = 2
    run = await api.poll(run)
    assert (run["status"], run["incomplete_details"]) == ("incomplete", {"reason": "max_completion_tokens"})


async def test_what_the_request_says_goes_before_what_the_assistant_says(api2):
    run = await api2.run(
        model="gpt-4.1",
        instructions="Be brief.",
        additional_instructions="Be kind.",
        temperature=0.5,
        max_prompt_tokens=256,
        truncation_strategy={"type": "last_messages", "last_messages": 3},
        tool_choice={"type": "function", "function": {"name": "lookup_order"}},
        response_format={"type": "json_schema", "json_schema": {"name": "order", "schema": {"type": "object"}}},
        parallel_tool_calls=False,
        tools=TOOLS,
    )
    assert run["model"] == "gpt-4.1"
    assert run["instructions"] == "Be brief.\nBe kind."
    assert run["temperature"] == 0.5
    assert run["truncation_strategy"] == {"type": "last_messages", "last_messages": 3}
    assert run["tool_choice"] == {"type": "function", "function": {"name": "lookup_order"}}
    assert run["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert run["parallel_tool_calls"] is False


async def test_additional_messages_are_added_before_the_run(api2):
    thread = await api2.thread("first")
    run = await api2.run(thread_id=thread, additional_messages=[{"role": "user", "content": "second"}])
    await api2.poll(run, after=5)
    texts = [message["content"][0]["text"]["value"] for message in await api2.messages(thread)]
    assert texts == ["first", "second", "You asked: second Here is what I can tell you."]


async def test_a_function_is_called_once_for_each_question(api2):
    thread = await api2.thread()
    run = await api2.poll(await api2.run(thread_id=thread, tools=TOOLS), after=5)
    await api2.submit(run)
    assert (await api2.poll(run, after=5))["status"] == "completed"
    again = await api2.run(thread_id=thread, tools=TOOLS)
    assert (await api2.poll(again, after=5))["status"] == "completed"
    await api2.do("createMessage", {"role": "user", "content": "And order 119?"}, thread_id=thread)
    third = await api2.run(thread_id=thread, tools=TOOLS)
    assert (await api2.poll(third, after=5))["status"] == "requires_action"


async def test_a_run_that_waits_too_long_expires(api):
    run = await api.poll(await api.run(tools=TOOLS), after=5)
    assert run["status"] == "requires_action"
    assert (await api.poll(run, after=590))["status"] == "requires_action"
    run = await api.poll(run, after=10)
    assert run["status"] == "expired"
    assert [step["status"] for step in await api.steps(run)] == ["expired"]


async def test_assistants_can_be_made_changed_listed_and_deleted(api):
    body = {"model": "gpt-4o", "name": "Helper", "tools": TOOLS, "metadata": {"a": "b"}}
    made = (await api.call("POST", "/v1/assistants", body)).payload
    path = f"/v1/assistants/{made['id']}"
    assert made["id"].startswith("asst_")
    assert made["tools"] == TOOLS
    changed = (await api.call("POST", path, {"instructions": "Help."})).payload
    assert (changed["name"], changed["instructions"]) == ("Helper", "Help.")
    assert (await api.call("GET", path)).payload == changed
    listed = (await api.call("GET", "/v1/assistants?order=asc")).payload
    assert [item["id"] for item in listed["data"]] == ["asst_abc123", made["id"]]
    assert (await api.call("DELETE", path)).payload == {
        "id": made["id"],
        "object": "assistant.deleted",
        "deleted": True,
    }
    assert (await api.call("GET", path)).status == 404


async def test_files_can_be_uploaded_read_listed_and_deleted(api2):
    from aiohttp import FormData

    form = FormData()
    form.add_field("purpose", "assistants")
    form.add_field("file", b"\x00\xff manual", filename="manual.pdf", content_type="application/pdf")
    file = (await api2.call("POST", "/v1/files", data=form)).payload
    assert (file["object"], file["filename"], file["bytes"], file["purpose"]) == ("file", "manual.pdf", 9, "assistants")
    path = f"/v1/files/{file['id']}"
    assert (await api2.call("GET", path)).payload == file
    assert (await api2.call("GET", path + "/content")).payload == b"\x00\xff manual"
    assert (await api2.call("GET", "/v1/files?purpose=vision")).payload["data"] == []
    assert (await api2.call("GET", "/v1/files")).payload["data"] == [file]
    assert (await api2.call("DELETE", path)).payload["deleted"] is True
    assert (await api2.call("GET", path)).status == 404


async def test_models_can_be_listed(api2):
    listed = (await api2.call("GET", "/v1/models")).payload
    assert (await api2.call("GET", f"/v1/models/{listed['data'][0]['id']}")).payload == listed["data"][0]
