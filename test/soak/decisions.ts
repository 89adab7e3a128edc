// `npm run soak:decisions`: the memory of a decision process over two million decisions, with 1,000 servers of 20 tools and
// 100,000 callers whose tokens are all remembered. Prints memory at every step and fails where it grows, or is above the
// target, after every caller has been there once. Everything of a decision is real but the gRPC edge (bench:decision). The
// heap is let grow as far as Node lets it in a container of 768 MiB: how much garbage V8 lets lie hangs on that alone.
//   --decisions N (2,000,000) · --callers N (100,000) · --servers N (1,000)

import { mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { check } from '#ext-authz/check.ts';
import { loadSnapshotFile, writeWholeCopy } from '#registry/feed/snapshot-file.ts';
import { startDecisionParts } from '#test/bench/decision/decision-parts.ts';
import { createDecisionKey, createDecisionWorld } from '#test/bench/decision/world.ts';
import { startKeyServer } from '#test/support/token-issuer.ts';

const STEPS = 20;
const IN_FLIGHT = 32;
const MIB = 2 ** 20;
/** What a decision process may take, MiB resident. */
const TARGET_MIB = 400;
/** What the heap may grow after every caller was there once: less than what one in ten callers takes would show. */
const GROWTH = 1.05;
/** Longest token of this world. */
const RECORD_BYTES = 1_024;

const { values } = parseArgs({
  options: {
    decisions: { type: 'string', default: '2000000' },
    callers: { type: 'string', default: '100000' },
    servers: { type: 'string', default: '1000' },
  },
});
const decisions = Number(values.decisions);
const callers = Number(values.callers);

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const directory = mkdtempSync(join(tmpdir(), 'mcpgw-soak-'));
const key = createDecisionKey();
const keyServer = await startKeyServer([key.jwk]);
const copy = join(directory, 'snapshot');
const tokens = openSync(join(directory, 'tokens'), 'w+', 0o600);

/** The world on disk, so that what is measured holds it as a process does that starts from its copy; and what it asks. */
const writeWorld = async () => {
  const world = createDecisionWorld(key, { servers: Number(values.servers), jwksUri: keyServer.url });
  await writeWholeCopy(copy, {
    epoch: 'soak',
    position: 1,
    snapshot: world.snapshot,
    freshAtMs: Date.now(),
  });
  for (let caller = 0; caller < callers; caller += 1)
    writeSync(tokens, (await world.token(caller)).padEnd(RECORD_BYTES), caller * RECORD_BYTES);
  return world.message;
};

const record = Buffer.alloc(RECORD_BYTES);
const tokenOf = (caller: number): string => {
  readSync(tokens, record, 0, RECORD_BYTES, caller * RECORD_BYTES);
  return record.toString('latin1').trimEnd();
};

const message = await writeWorld();
const loaded = await loadSnapshotFile(copy, Date.now());
if (!loaded.ok || loaded.value === undefined)
  throw new Error(`the copy cannot be read: ${loaded.ok ? 'none' : loaded.error}`);
const { parts, stop } = await startDecisionParts(loaded.value.snapshot);

const decideAll = async (from: number, to: number): Promise<void> => {
  let next = from;
  const lane = async (): Promise<void> => {
    while (next < to) {
      const caller = next % callers;
      next += 1;
      const answer = await check(parts, message(caller, tokenOf(caller)));
      if (answer.status.code !== 0) throw new Error(`refused: ${JSON.stringify(answer)}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
};

type Sample = { readonly rss: number; readonly heap: number };

const sample = async (): Promise<Sample> => {
  const rss = process.memoryUsage.rss() / MIB;
  // What the first leaves to be finalised is garbage of the second.
  collect();
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return { rss, heap: (heapUsed + external) / MIB };
};

const middle = (samples: readonly Sample[], of: keyof Sample): number =>
  samples.map((one) => one[of]).toSorted((a, b) => a - b)[Math.floor(samples.length / 2)] ?? 0;

const samples: Sample[] = [];
for (let step = 1; step <= STEPS; step += 1) {
  await decideAll(((step - 1) * decisions) / STEPS, (step * decisions) / STEPS);
  const now = await sample();
  samples.push(now);
  const done = Math.round((step * decisions) / STEPS);
  process.stderr.write(
    `${done} decisions: ${now.rss.toFixed(0)} MiB resident, ${now.heap.toFixed(1)} MiB in use\n`,
  );
}
await stop();
await keyServer.stop();
rmSync(directory, { recursive: true });

const settled = samples.slice(Math.ceil((callers / decisions) * STEPS));
const third = Math.ceil(settled.length / 3);
const [first, last] = [settled.slice(0, third), settled.slice(-third)];
const growth = middle(last, 'heap') / middle(first, 'heap');
const resident = Math.max(...settled.map(({ rss }) => rss));
const isKept = growth <= GROWTH && resident <= TARGET_MIB;
process.stderr.write(
  `${isKept ? 'kept' : 'MISSED'}: last third ÷ first third in use ${growth.toFixed(3)} (≤ ${GROWTH}); most resident ${resident.toFixed(0)} MiB (≤ ${TARGET_MIB})\n`,
);
process.exitCode = isKept ? 0 : 1;
