// A Node test suite that replays recordings: respool runs beside it as a service, for as long as the suite does.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { refund } from './agent.mjs';

const command = JSON.parse(process.env.RESPOOL_COMMAND ?? '["respool"]');
const cassettes = process.env.RESPOOL_CASSETTES ?? 'cassettes';
let respool;
let origin;

before(async () => {
  respool = spawn(command[0], [...command.slice(1), 'replay', cassettes, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface(respool.stdout), 'line');
  origin = new URL(line).origin;
});

after(async () => {
  respool.kill('SIGTERM');
  await once(respool, 'exit');
});

test('the service says that it is there', async () => {
  const health = await fetch(`${origin}/_respool/health`);
  assert.equal(health.status, 200);
  assert.equal((await health.json()).status, 'ok');
});

for (const worker of ['a', 'b', 'c']) {
  test(`a refund is handled (${worker})`, { concurrency: true }, async () => {
    const expected = JSON.parse(await readFile(process.env.RESPOOL_TRANSCRIPT, 'utf8'));
    const seen = await refund(`${origin}/@refund~${worker}/v1`);
    assert.deepEqual(JSON.parse(JSON.stringify(seen)), expected);
  });
}
