"""Words and ids that are never taken for a secret, even where a test uses one as its key.

Ids of the API (`thread_...`, `run_...`), counts, words of its vocabulary and of JSON Schema, and what other recorders put where
a credential stood: replacing one would break the recording and hide nothing.
"""

import re

from .operations import OPERATIONS

PREFIXES = (b"thread", b"run", b"msg", b"step", b"asst", b"assistant", b"file", b"call", b"vs", b"batch")
"""What the ids of the API begin with, before `_` or `-`."""
ANY_PREFIX = b"(?:" + b"|".join(PREFIXES) + b")"
"""The same within a pattern."""
API_ID = re.compile(ANY_PREFIX + rb"[_-][A-Za-z0-9]*")
COUNT = re.compile(rb"[0-9]{1,13}")
_API_WORDS = b"""
    application application/json annotations arguments assistant assistant_id assistants cancelled cancelling
    code_interpreter completed completed_at completion_tokens created_at description event-stream expired_at expires_at
    failed_at file_search function has_more in_progress incomplete incomplete_details instructions last_error
    message_creation messages metadata object output outputs parallel_tool_calls prompt_tokens queued required_action
    requires_action response_format retrieval started_at step_details submit_tool_outputs temperature thread.message
    thread.run thread_id tool_call_id tool_calls tool_choice tool_outputs tool_resources total_tokens
    truncation_strategy undefined
    attachments auto chunking_strategy citation code content context delta developer file_citation file_id file_ids
    file_path filename filters first_id gpt-3.5-turbo image_file image_url include input input_text json_object
    json_schema last_id last_messages limit_exceeded max_completion_tokens max_prompt_tokens max_output_tokens
    max_tokens model name none output_text ranking_options reasoning_effort refusal role server_error status
    step_type strict stream_options system text thread tools top_p type usage user value vector_store
    vector_store_ids vector_stores rate_limit_exceeded invalid_request_error
"""
_SCHEMA_WORDS = b"""
    $anchor $comment $defs $dynamicanchor $dynamicref $id $ref $schema $vocabulary additionalitems
    additionalproperties allof anyof array boolean const contains contentencoding contentmediatype contentschema
    date-time default definitions dependencies dependentrequired dependentschemas deprecated duration email else enum
    examples exclusivemaximum exclusiveminimum format hostname if integer ipv4 ipv6 items maxcontains maximum maxitems
    maxlength maxproperties mincontains minimum minitems minlength minproperties multipleof not null number oneof
    pattern patternproperties prefixitems properties propertynames readonly regex required string then title
    unevaluateditems unevaluatedproperties uniqueitems uri uri-reference uuid writeonly
"""
_COMMON_WORDS = b"""
    anything disabled document dummy dummykey empty enabled everything example external fake internal language localhost
    nokey none not-needed notneeded not-used notused nothing openai optional password placeholder production question
    response secret something testing testtest unknown unspecified whatever
"""
_PLACEHOLDERS = b"""
    sanitized sanitised [sanitized] filtered [filtered] <filtered> [redacted] <redacted> scrubbed [scrubbed] secretplaceholder
"""
"""What other recorders put where a credential stood, and elsewhere: it hides already."""
VOCABULARY = frozenset((_API_WORDS + _SCHEMA_WORDS + _COMMON_WORDS + _PLACEHOLDERS).split()) | {
    part.strip("{}").lower().encode() for row in OPERATIONS for part in row.template.split("/")
}
"""Words, in lower case, that stand in every body or path: replacing one would break the recording and hide nothing."""
