"""Which script a run follows, and rules files."""

import pytest
from respool.cassettes.errors import UsageError
from respool.proxy.sandbox.rules import Rule, fitting_script, parse_rules, read_rules
from respool.proxy.sandbox.script import ScriptError
from respool.proxy.sandbox.statements import CallTools, Say

RULES = [Rule("refund", 'say "by the first rule"'), Rule(r"/\border \d+/", 'say "by the second rule"')]


async def reply_of(api, text, assistant="asst_abc123", script=None):
    thread = await api.thread(text)
    run = await api.run(script, thread_id=thread, assistant_id=assistant)
    await api.poll(run, after=5)
    return (await api.messages(thread))[-1]["content"][0]["text"]["value"]


async def test_the_nearest_script_decides(open_api):
    api = await open_api(rules=RULES, script='say "by the sandbox"')
    body = {"model": "gpt-4o", "metadata": {"sandbox_script": 'say "by the assistant"'}}
    assistant = (await api.call("POST", "/v1/assistants", body)).payload["id"]
    assert await reply_of(api, "REFUND order 118", assistant, 'say "by the run"') == "by the run"
    assert await reply_of(api, "REFUND order 118", assistant) == "by the assistant"
    assert await reply_of(api, "A REFUND for order 118") == "by the first rule"
    assert await reply_of(api, "Where is order 118?") == "by the second rule"
    assert await reply_of(api, "Where is my border 118?") == "by the sandbox"


async def test_without_a_script_the_reply_depends_on_the_question_alone(open_api):
    one, other = await open_api(), await open_api()
    assert await reply_of(one, "What is AI?") == await reply_of(other, "What is AI?")
    assert await reply_of(one, "What is AI?") != await reply_of(one, "What is a run?")


async def test_an_assistants_script_is_checked_when_it_is_given(open_api):
    api = await open_api()
    body = {"model": "gpt-4o", "metadata": {"sandbox_script": "say 1"}}
    reply = await api.call("POST", "/v1/assistants", body)
    assert (reply.status, reply.payload["error"]["param"]) == (400, "metadata.sandbox_script")
    assert "line 1, column 5" in reply.payload["error"]["message"]


@pytest.mark.parametrize(
    ("parameters", "arguments"),
    [
        (None, "{}"),
        ({"type": "object", "properties": {"id": {"type": "integer"}}}, '{"id": 118}'),
        (
            {"properties": {"a": {"type": "string"}, "b": {"type": "boolean"}, "c": {}}, "required": ["a", "b"]},
            '{"a": "Where is order 118?", "b": true}',
        ),
        ({"properties": {"unit": {"enum": ["c", "f"]}, "n": {"type": ["null", "number"]}}}, '{"unit": "c", "n": 118}'),
        ({"properties": {"l": {"type": "array", "items": {"type": "integer"}}}}, '{"l": [118]}'),
        ({"properties": {"o": {"type": "object", "properties": {"x": {"type": "null"}}}}}, '{"o": {"x": null}}'),
        ({"properties": 5, "required": "x"}, "{}"),
    ],
)
def test_a_call_fits_its_parameters(parameters, arguments):
    tools = [{"type": "function", "function": {"name": "f", "parameters": parameters}}]
    script = fitting_script(tools, "auto", "Where is order 118?", answered=False)
    [call] = [statement for statement in script.statements if isinstance(statement, CallTools)]
    assert call.calls[0].arguments == arguments


@pytest.mark.parametrize(
    ("tool_choice", "question", "name"),
    [
        ("auto", "Please", "first"),
        ("auto", "Use the second one", "second"),
        ({"type": "function", "function": {"name": "second"}}, "Please", "second"),
        ({"type": "code_interpreter"}, "Please", None),
        ("none", "Please", None),
    ],
)
def test_the_function_is_the_one_that_is_asked_for(tool_choice, question, name):
    tools = [{"type": "function", "function": {"name": given}} for given in ("first", "second")]
    script = fitting_script(tools, tool_choice, question, answered=False)
    calls = [statement.calls[0].name for statement in script.statements if isinstance(statement, CallTools)]
    assert calls == ([name] if name else [])
    assert isinstance(script.statements[-1], Say)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[rule]", "rules is not TOML"),
        ("scripts = 'x'", "rules: unknown key `scripts`"),
        ("script = 1", "rules: `script` is missing or is not a string"),
        ("script = 'dance'", "rules: script, line 1, column 1"),
        ("rule = 1", "write each rule as [[rule]]"),
        ("rule = [1]", "rules, rule 1: write it as [[rule]]"),
        ("[[rule]]\nscript = 'search'", "rules, rule 1: `match` is missing"),
        ("[[rule]]\nmatch = 'a'", "rules, rule 1: `script` is missing"),
        (
            "[[rule]]\nmatch = 'a'\nscript = 'search'\n[[rule]]\nmatch = 'a'\nscript = 'x'",
            "rules, rule 2: script, line 1",
        ),
        ("[[rule]]\nmatch = '/(/'\nscript = 'search'", "not a regular expression"),
    ],
)
def test_a_mistake_in_a_rules_file_is_named(text, words):
    with pytest.raises(UsageError) as caught:
        parse_rules(text)
    assert words in caught.value.message


def test_a_file_that_is_not_toml_is_a_script(tmp_path):
    path = tmp_path / "slow.script"
    path.write_text("in_progress 5s")
    assert read_rules(path).script == "in_progress 5s"
    path.write_text("dance")
    with pytest.raises(UsageError, match=r"slow\.script: script, line 1, column 1"):
        read_rules(path)
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_rules(tmp_path / "none")
    path.write_bytes(b"say \xff")
    with pytest.raises(UsageError, match="cannot be read: it is no text in UTF-8"):
        read_rules(path)


def test_a_rule_with_a_wrong_script_cannot_be_made():
    with pytest.raises(ScriptError):
        Rule("x", "dance")
