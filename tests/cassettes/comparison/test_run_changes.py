"""One change of a run is one finding, and it names the field that changed, with both values."""

from changes import (
    Mutation,
    both,
    each_of,
    early,
    everywhere,
    objects,
    one,
    put,
    put_at_end,
    request,
    run_fails,
    set_deep,
    set_tokens,
    told_once,
    without_run,
)

RUN1, RUN2 = "thread 1, run 1", "thread 1, run 2"

MUTATIONS = [
    Mutation(
        "outputs never sent",
        one("submitToolOuputsToRun", lambda _: None),
        RUN1,
        "states",
        "outputs submitted → requires_action",
        "requires_action → outputs submitted",
    ),
    Mutation(
        "run failed",
        objects(
            "thread.run", put_at_end(status="failed", last_error={"code": "server_error", "message": "Down."}), nth=0
        ),
        RUN1,
        "states",
        "→ completed",
        "→ failed (server_error: Down.)",
    ),
    Mutation(
        "run failed, with all that follows", run_fails, RUN1, "states", "→ completed", "→ failed (server_error: Down.)"
    ),
    Mutation(
        "run expired",
        objects("thread.run", put_at_end(status="expired"), nth=0),
        RUN1,
        "states",
        "→ completed",
        "→ expired",
    ),
    Mutation(
        "run incomplete",
        objects(
            "thread.run", put_at_end(status="incomplete", incomplete_details={"reason": "max_prompt_tokens"}), nth=0
        ),
        RUN1,
        "states",
        "→ completed",
        "→ incomplete (max_prompt_tokens)",
    ),
    Mutation(
        "run that waits for nothing",
        objects(
            "thread.run",
            lambda run: run.update(status="in_progress") if run["status"] == "requires_action" else None,
            nth=0,
        ),
        RUN1,
        "states",
        "requires_action →",
        "outputs submitted →",
    ),
    Mutation(
        "last error",
        everywhere("The server had an error.", "The server is down."),
        "thread 2, run 1",
        "last_error",
        "server_error: The server had an error.",
        "server_error: The server is down.",
    ),
    Mutation(
        "last error's code",
        objects(
            "thread.run", lambda run: run["last_error"] and run["last_error"].update(code="rate_limit_exceeded"), nth=2
        ),
        "thread 2, run 1",
        "last_error",
        "server_error:",
        "rate_limit_exceeded:",
    ),
    Mutation(
        "tokens",
        objects("thread.run", set_tokens(completion_tokens=36, total_tokens=156), nth=0),
        RUN1,
        "usage.completion_tokens",
        "35",
        "36",
    ),
    Mutation(
        "prompt's tokens",
        objects("thread.run", set_tokens(prompt_tokens=121), nth=0),
        RUN1,
        "usage.prompt_tokens",
        "120",
        "121",
    ),
    Mutation(
        "all tokens",
        objects("thread.run", set_tokens(prompt_tokens=1, completion_tokens=2, total_tokens=3), nth=0),
        RUN1,
        "usage",
        '"total_tokens": 155',
        '"total_tokens": 3',
    ),
    Mutation("no tokens", objects("thread.run", put(usage=None), nth=0), RUN1, "usage", "155", None),
    Mutation("instructions", everywhere("Be brief.", "Be kind."), RUN1, "instructions", "Be brief.", "Be kind."),
    Mutation(
        "instructions, as told only",
        objects("thread.run", put(instructions="Be kind."), nth=0),
        RUN1,
        "instructions",
        "Be brief.",
        "Be kind.",
    ),
    Mutation("model asked for", request("createRun", put(model="gpt-4o")), RUN1, "model", None, "gpt-4o"),
    Mutation("model told", objects("thread.run", put(model="gpt-4o"), nth=0), RUN1, "model", "gpt-4o-mini", "gpt-4o"),
    Mutation(
        "model of the assistant and of all its runs",
        everywhere("gpt-4o-mini", "gpt-4o"),
        "other calls, POST /assistants",
        "model",
        "gpt-4o-mini",
        "gpt-4o",
    ),
    Mutation(
        "temperature",
        both(request("createRun", put(temperature=0.7)), objects("thread.run", put(temperature=0.7), nth=0)),
        RUN1,
        "temperature",
        "0.5",
        "0.7",
    ),
    Mutation(
        "truncation",
        both(
            request("createRun", set_deep("truncation_strategy", "last_messages", to=6)),
            objects("thread.run", set_deep("truncation_strategy", "last_messages", to=6), nth=0),
        ),
        RUN1,
        "truncation_strategy.last_messages",
        "5",
        "6",
    ),
    Mutation(
        "most tokens", request("createRun", put(max_completion_tokens=501)), RUN1, "max_completion_tokens", "500", "501"
    ),
    Mutation(
        "tools of a run",
        request("createRun", put(tools=[{"type": "file_search"}]), 1),
        RUN2,
        "tools[0]",
        None,
        "file_search",
    ),
    Mutation(
        "metadata of a run",
        request("createRun", set_deep("metadata", "kind", to="order")),
        RUN1,
        "metadata.kind",
        "question",
        "order",
    ),
    Mutation(
        "what metadata speaks of",
        request("createRun", set_deep("metadata", "speaks of", to="nobody")),
        RUN1,
        'metadata["speaks of"]',
        "msg_",
        "nobody",
    ),
    Mutation(
        "assistant of a run",
        request("createRun", put(assistant_id="asst_other"), 1),
        RUN2,
        "assistant_id",
        "asst_",
        "asst_other",
    ),
    Mutation("run missing", without_run, "thread 2, run 1", "", "failed", None, "missing"),
    Mutation("stream that ends early", one("createRun", early, 1), RUN2, "states", "completed", "(no end recorded)"),
]


@each_of(MUTATIONS)
def test_a_change_of_a_run_is_one_finding_that_names_the_field_and_both_values(tmp_path, calls, recorded, mutation):
    told_once(tmp_path, calls, recorded, mutation)
