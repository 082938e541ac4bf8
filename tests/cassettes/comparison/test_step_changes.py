"""One change of a step, or of a tool's call in it, is one finding, and it names the field that changed, with both values."""

from typing import Any

from changes import (
    Mutation,
    both,
    each_of,
    everywhere,
    lists,
    objects,
    put,
    request,
    set_deep,
    swap_steps,
    told_once,
    tool_calls,
)

RUN1 = "thread 1, run 1"
LOOK_UP = "thread 1, run 1, step 1, tool call lookup_order"


def searches(step: dict[str, Any]) -> None:
    """The code interpreter's call as one of file search."""
    for call in step["step_details"].get("tool_calls", []):
        if call.pop("code_interpreter", None):
            call.update(type="file_search", file_search={"results": []})


MUTATIONS = [
    Mutation(
        "tool's argument",
        everywhere('\\"id\\": 118, \\"deep\\"', '\\"id\\": 119, \\"deep\\"'),
        LOOK_UP,
        "arguments.id",
        "118",
        "119",
    ),
    Mutation(
        "tool's argument deep inside",
        everywhere('\\"a\\": [1, 2]', '\\"a\\": [1, 3]'),
        LOOK_UP,
        "arguments.deep.a[1]",
        "2",
        "3",
    ),
    Mutation(
        "tool's argument gone",
        everywhere('\\"id\\": 118, \\"deep\\"', '\\"deep\\"'),
        LOOK_UP,
        "arguments.id",
        "118",
        None,
    ),
    Mutation(
        "all arguments",
        everywhere('{\\"how\\": \\"mail\\"}', '{\\"by\\": \\"post\\", \\"at\\": 7}'),
        "thread 1, run 1, step 3, tool call notify",
        "arguments",
        '"how": "mail"',
        '"by": "post"',
    ),
    Mutation(
        "tool's name",
        everywhere('"name": "refund"', '"name": "repay"'),
        "thread 1, run 1, step 3, tool call refund",
        "name",
        "refund",
        "repay",
    ),
    Mutation(
        "tool's output",
        everywhere('\\"by\\": \\"refund\\"', '\\"by\\": \\"post\\"'),
        "thread 1, run 1, step 3, tool call refund",
        "output.by",
        "refund",
        "post",
    ),
    Mutation(
        "all of a tool's output",
        everywhere('{\\"status\\": \\"sent\\", \\"by\\": \\"refund\\"}', "no such order"),
        "thread 1, run 1, step 3, tool call refund",
        "output",
        '{"by": "refund", "status": "sent"}',
        "no such order",
    ),
    Mutation(
        "tool's output, as sent only",
        request("submitToolOuputsToRun", set_deep("tool_outputs", 0, "output", to='{"by": "post", "status": "sent"}')),
        LOOK_UP,
        "submitted output.by",
        "lookup_order",
        "post",
    ),
    Mutation(
        "code",
        everywhere("6 * 7", "6 * 8"),
        "thread 1, run 1, step 2, tool call code_interpreter",
        "input",
        "6 * 7",
        "6 * 8",
    ),
    Mutation(
        "code's output",
        everywhere('"logs": "42"', '"logs": "43"'),
        "thread 1, run 1, step 2, tool call code_interpreter",
        "output",
        "42",
        "43",
    ),
    Mutation(
        "code's call made a search",
        objects("thread.run.step", searches),
        "thread 1, run 1, step 2, tool call code_interpreter",
        "type",
        "print(6 * 7)",
        "file_search",
    ),
    Mutation(
        "steps in another order",
        lists("listRunSteps", swap_steps),
        RUN1,
        "steps",
        "lookup_order",
        "code_interpreter",
        "order",
    ),
    Mutation(
        "calls in another order",
        both(
            lists("listRunSteps", lambda steps: steps[1]["step_details"]["tool_calls"].reverse()),
            objects("thread.run", lambda run: run["required_action"] and tool_calls(run).reverse()),
        ),
        "thread 1, run 1, step 3",
        "tool calls",
        "refund",
        "notify",
        "order",
    ),
    Mutation(
        "step missing",
        lists("listRunSteps", lambda steps: steps.pop(2)),
        "thread 1, run 1, step 2",
        "",
        "code_interpreter(print(6 * 7))",
        None,
        "missing",
    ),
    Mutation(
        "step failed",
        objects("thread.run.step", put(status="failed", last_error={"code": "server_error", "message": "no"}), nth=1),
        "thread 1, run 1, step 3",
        "status",
        "completed",
        "failed (server_error: no)",
    ),
    Mutation(
        "call missing",
        both(
            lists("listRunSteps", lambda steps: steps[1]["step_details"]["tool_calls"].pop()),
            objects("thread.run", lambda run: run["required_action"] and tool_calls(run).__delitem__(slice(1, None))),
            request("submitToolOuputsToRun", lambda value: value["tool_outputs"].pop(), 1),
        ),
        "thread 1, run 1, step 3, tool call notify",
        "",
        "notify(",
        None,
        "missing",
    ),
    Mutation(
        "tokens of a step",
        lists("listRunSteps", lambda steps: steps[0]["usage"].update(prompt_tokens=1)),
        "thread 1, run 1, step 4",
        "usage.prompt_tokens",
        "",
        "1",
    ),
]


@each_of(MUTATIONS)
def test_a_change_of_a_step_or_a_tool_call_is_one_finding_that_names_the_field_and_both_values(
    tmp_path, calls, recorded, mutation
):
    told_once(tmp_path, calls, recorded, mutation)
