"""The script language: what each statement means, and what is said of a mistake."""

import contextlib

import pytest
from hypothesis import given, strategies
from respool.proxy.sandbox.script import MAX_STATEMENTS, ScriptError, parse_script
from respool.proxy.sandbox.statements import (
    Call,
    CallTools,
    Ending,
    HttpFault,
    Mark,
    Pace,
    RunCode,
    Say,
    Search,
    Tokens,
    Wait,
)


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("queued 50ms", Wait("queued", 0.05)),
        ("in_progress 1.5s", Wait("in_progress", 1.5)),
        ("in_progress 2m", Wait("in_progress", 120.0)),
        ("in_progress 1h", Wait("in_progress", 3600.0)),
        ("call a({})", CallTools((Call("a", "{}"),))),
        ('call a ( {"x": [1, "é"]} ) & b-2({})', CallTools((Call("a", '{"x": [1, "é"]}'), Call("b-2", "{}")))),
        ('code "print(1)" -> "1"', RunCode("print(1)", "1")),
        ('code "pass"', RunCode("pass", None)),
        ("search", Search()),
        ('search "file-1" "a.pdf"', Search("file-1", "a.pdf")),
        ('say "a\\n\\"b\\" ; # c"', Say('a\n"b" ; # c')),
        (
            'say "x [1] y" cite "[1]" "file-1" "q" path "y" "file-2"',
            Say("x [1] y", (Mark("file_citation", "[1]", "file-1", "q"), Mark("file_path", "y", "file-2"))),
        ),
        ("pace 5ms", Pace(0.005)),
        ("tokens 120 35", Tokens(120, 35)),
        ("complete", Ending("complete")),
        ('fail rate_limit_exceeded "slow down"', Ending("fail", "rate_limit_exceeded", "slow down")),
        ('fail "oh"', Ending("fail", "server_error", "oh")),
        ("fail invalid_prompt after 1s", Ending("fail", "invalid_prompt", after=1.0)),
        ("expire", Ending("expire")),
        ("cancel after 30ms", Ending("cancel", after=0.03)),
        ("incomplete max_prompt_tokens", Ending("incomplete", "max_prompt_tokens")),
        ('error "broken"', Ending("error", message="broken")),
        ("drop", Ending("drop")),
        ("http 429 retry-after 1 times 2", HttpFault(429, "1", 2)),
        ("http 500 on getRun retry-after 0.5", HttpFault(500, "0.5", 1, "getRun")),
    ],
)
def test_a_statement_means(text, statement):
    assert parse_script(text).statements == (statement,)


def test_statements_stand_on_lines_or_between_semicolons_with_comments_and_gaps():
    script = parse_script('\n # a comment\n queued 1s;;in_progress 1s # more\r\n\n say "x" ;\n')
    assert script.statements == (Wait("queued", 1.0), Wait("in_progress", 1.0), Say("x"))
    assert parse_script("").statements == ()


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("dance", 1, 1, "expected a statement (queued, in_progress, call, "),
        ("queued", 1, 7, "expected how long queued lasts, such as 50ms, 1.5s, 2m or 1h, found the end"),
        ("queued 50", 1, 8, 'found "50"'),
        ("queued 2000m", 1, 8, "a duration is a day at most"),
        ("queued 1s in_progress 1s", 1, 11, "expected ';' or a new line"),
        ("queued 1s\n  say hello", 2, 7, 'expected what to say, a string as JSON, found "hello"'),
        ('queued 1s; say "open', 1, 16, "as JSON"),
        ("call a", 1, 6, "expected a function name and its arguments"),
        ("call a([])", 1, 8, "expected the arguments, an object"),
        ("call a({}", 1, 10, "expected ')', found the end"),
        ("call a({}) &", 1, 13, "expected a function name"),
        ('say "x" cite "y" "file-1"', 1, 14, "this piece does not occur in the message"),
        ('say "\\ud800"', 1, 5, "holds a value that JSON cannot carry"),
        ('call a({"x": NaN})', 1, 8, "holds a value that JSON cannot carry"),
        ("fail whatever", 1, 6, "expected one of server_error, rate_limit_exceeded, invalid_prompt"),
        ("incomplete", 1, 11, "expected one of max_completion_tokens, max_prompt_tokens"),
        ("http 200", 1, 6, "the status is between 400 and 599"),
        ("http 429 on nothing", 1, 13, "expected the name of an operation"),
        ("tokens 1 x", 1, 10, "expected the number of completion tokens"),
        ("cancel after soon", 1, 14, "expected a duration"),
        ('complete; say "x"', 1, 11, "'say' comes after the run's end"),
        ("complete\ncomplete", 2, 1, "'complete' comes after the run's end"),
        ("in_progress 1s\nqueued 1s", 2, 1, "'queued' comes first"),
        ('code "x" -> 1', 1, 13, "expected the output, a string"),
    ],
)
def test_a_mistake_is_named_with_its_place(text, line, column, words):
    with pytest.raises(ScriptError) as caught:
        parse_script(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert caught.value.message.startswith(f"script, line {line}, column {column}: ")
    assert words in caught.value.message
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(
    "text",
    [
        "#" * 70_000,
        "search;" * (MAX_STATEMENTS + 1),
        "call a(" + '{"a":' * 50_000,
        'call a({"x": ' + "1" * 5_000 + "})",
    ],
    ids=["long", "many statements", "deep", "long number"],
)
def test_a_script_has_limits(text):
    with pytest.raises(ScriptError):
        parse_script(text)


@given(strategies.text(alphabet='abcdefgilmnopqrstuxy_0123456789 \t\n;#"&()->{}[]:\\é', max_size=60))
def test_any_text_is_a_script_or_a_script_error(text):
    with contextlib.suppress(ScriptError):
        assert len(parse_script(text).statements) <= len(text)


async def test_the_tokens_of_a_run_are_shared_by_its_steps(open_api):
    api = await open_api()
    run = await api.poll(await api.run('tokens 121 36; search; code "x"; say "y"'), after=5)
    assert run["usage"] == {"prompt_tokens": 121, "completion_tokens": 36, "total_tokens": 157}
    steps = await api.steps(run)
    assert [step["usage"]["prompt_tokens"] for step in steps] == [40, 40, 41]
    assert sum(step["usage"]["completion_tokens"] for step in steps) == 36


@pytest.mark.parametrize(
    ("script", "status", "reason", "step"),
    [
        ("cancel after 50ms", "cancelled", "run_cancelled", "cancelled"),
        ("expire after 50ms", "expired", "run_expired", "expired"),
        ("fail invalid_prompt after 50ms", "failed", "run_failed", "failed"),
        ("incomplete max_completion_tokens after 50ms", "incomplete", "max_tokens", "completed"),
    ],
)
async def test_an_ending_that_strikes_in_the_middle_leaves_a_message_half_said(open_api, script, status, reason, step):
    api = await open_api()
    run = await api.run(script + '; say "one two three four five"; complete')
    run = await api.poll(run, after=5)
    assert run["status"] == status
    message = (await api.messages(run["thread_id"]))[-1]
    assert message["incomplete_details"] == {"reason": reason}
    assert message["content"][0]["text"]["value"] == "one two"
    assert [item["status"] for item in await api.steps(run)] == [step]


async def test_an_ending_that_would_strike_later_waits_for_an_open_end_but_not_for_a_complete(open_api):
    api = await open_api()
    open_end = await api.run('cancel after 10s; say "x"')
    done = await api.run('cancel after 10s; say "x"; complete')
    assert (await api.poll(open_end, after=5))["status"] == "in_progress"
    assert (await api.poll(done))["status"] == "completed"
    assert (await api.poll(open_end, after=5))["status"] == "cancelled"


async def test_times_are_those_of_the_script_and_not_of_the_poll(open_api):
    api = await open_api()
    run = await api.run("queued 10s; in_progress 20s; complete")
    run = await api.poll(run, after=500)
    assert (run["started_at"] - run["created_at"], run["completed_at"] - run["created_at"]) == (10, 30)
    assert run["expires_at"] is None


async def test_what_is_filled_in_is_bounded(open_api):
    api = await open_api()
    thread = await api.thread("x" * 200_000)
    run = await api.run(None, thread_id=thread, metadata={"sandbox_script": 'pace 0ms; say "' + "{input}" * 70 + '"'})
    await api.poll(run, after=5)
    text = (await api.messages(thread))[-1]["content"][0]["text"]["value"]
    assert 200_000 < len(text) <= 256_000
