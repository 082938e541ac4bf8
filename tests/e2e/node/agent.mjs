// One program against the threads API, as a Node project would have it. It returns all that it saw.
import OpenAI from 'openai';

const LOOKUP = {
  type: 'function',
  function: {
    name: 'lookup_order',
    description: 'Find an order by its number.',
    parameters: { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] },
  },
};

export async function refund(baseURL) {
  const client = new OpenAI({ baseURL, apiKey: 'sk-test-0123456789abcdef', logLevel: 'off' });
  const { threads } = client.beta;
  const seen = [];

  const thread = await threads.create({ messages: [{ role: 'user', content: 'Where is order 118?' }] });
  seen.push(['thread', thread]);

  // A polled run that asks for a tool.
  let run = await threads.runs.createAndPoll(thread.id, { assistant_id: 'asst_abc123', tools: [LOOKUP] });
  seen.push(['asked', run.status]);
  const outputs = run.required_action.submit_tool_outputs.tool_calls.map((call) => ({
    tool_call_id: call.id,
    output: JSON.stringify({ id: 118, state: 'shipped' }),
  }));
  run = await threads.runs.submitToolOutputsAndPoll(run.id, { thread_id: thread.id, tool_outputs: outputs });
  seen.push(['run', run]);

  // A streamed run.
  await threads.messages.create(thread.id, { role: 'user', content: 'Thank you!' });
  const events = [];
  const stream = threads.runs.stream(thread.id, { assistant_id: 'asst_abc123' });
  for await (const event of stream) events.push(event);
  seen.push(['events', events]);
  const final = await stream.finalRun();
  seen.push(['streamed', final.status]);

  // Pages of two, and an error.
  const messages = [];
  for await (const message of threads.messages.list(thread.id, { limit: 2 })) messages.push(message);
  seen.push(['messages', messages]);
  const steps = [];
  for await (const step of threads.runs.steps.list(run.id, { thread_id: thread.id })) steps.push(step);
  seen.push(['steps', steps]);
  const error = await threads.retrieve('thread_missing').catch((caught) => caught);
  seen.push(['error', error.status, error.error.message]);
  return seen;
}
