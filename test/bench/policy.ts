// `npm run bench:policy`: a million evaluations by the default policy, in this process and in the thread of tenants'
// policies. Prints memory as it goes: of the instance, which never shrinks, and of the process.

import { readFile } from 'node:fs/promises';
import type { JsonObject } from '#core/json.ts';
import { DEFAULT_BUNDLE } from '#ext-authz/policy/bundle.ts';
import { buildPolicyInput } from '#ext-authz/policy/input.ts';
import { createWasmEngine } from '#ext-authz/policy/wasm-engine.ts';
import { ENTRYPOINTS, startPolicyThread } from '#runtime/policy/policy-thread.ts';
import { loadPolicyModule } from '#runtime/policy/wasm-module.ts';
import { question, toolCall } from '#test/support/policy-world.ts';

const EVALUATIONS = 1_000_000;
const STEP = 100_000;
/** Questions on their way to the thread. */
const AT_ONCE = 50;

const wasm = await readFile(DEFAULT_BUNDLE.replace(/\.json$/, '.wasm'));
const asked = buildPolicyInput(question({ call: toolCall('create_issue', { priority: 'low' }) }), {
  withArguments: false,
});
if (!asked.ok) throw new Error(asked.error.reason);
const inputAt = (index: number): JsonObject => ({ ...asked.value, tenant: `tenant-${index % 5_000}` });

const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);

const say = (done: number, memoryBytes: number, ms: number): void => {
  const perSecond = Math.round((done / ms) * 1_000);
  const rss = megabytes(process.memoryUsage().rss);
  process.stdout.write(
    `${String(done).padStart(8)} evaluations: instance ${megabytes(memoryBytes)} MiB, process ${rss} MiB, ${perSecond} a second\n`,
  );
};

const inProcess = (): void => {
  const instance = loadPolicyModule(wasm, { data: {}, entrypoints: ENTRYPOINTS }).instantiate();
  const engine = createWasmEngine({
    module: { instantiate: () => instance },
    revision: 'bench',
    readsArguments: false,
  });
  const startedAt = performance.now();
  for (let index = 1; index <= EVALUATIONS; index += 1) {
    const answer = engine.evaluate(inputAt(index));
    if (!answer.ok || !answer.value.allow) throw new Error(`evaluation ${index} failed`);
    if (index === 1_000 || index % STEP === 0)
      say(index, instance.memoryBytes(), performance.now() - startedAt);
  }
};

const inThread = async (): Promise<void> => {
  const thread = startPolicyThread(10_000);
  const loaded = await thread.load('bench', { wasm, data: {} });
  if (!loaded.ok) throw new Error(loaded.error.message);
  let memoryBytes = 0;
  const ask = async (index: number): Promise<void> => {
    const answer = await thread.ask('bench', 'mcp/authz/decision', JSON.stringify(inputAt(index)));
    if (!answer.ok) throw new Error(answer.error.message);
    memoryBytes = answer.value.memoryBytes;
  };
  const waits: number[] = [];
  for (let index = 0; index < 2_000; index += 1) {
    const askedAt = performance.now();
    await ask(index);
    waits.push(performance.now() - askedAt);
  }
  const middle = waits.toSorted((a, b) => a - b)[Math.floor(waits.length / 2)] ?? 0;
  process.stdout.write(`one at a time: ${Math.round(middle * 1_000)} µs in the middle\n`);
  const startedAt = performance.now();
  for (let index = 1; index <= EVALUATIONS / AT_ONCE; index += 1) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, at) => ask(index + at)));
    if (index % (STEP / AT_ONCE) < 1) say(index * AT_ONCE, memoryBytes, performance.now() - startedAt);
  }
  await thread.stop();
};

process.stdout.write('in the process\n');
inProcess();
process.stdout.write("in the thread of tenants' policies\n");
await inThread();
