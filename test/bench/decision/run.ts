// `npm run bench:decision`: CPU of one decision behind the gRPC edge, microseconds, of all threads of the process. Its log
// goes to stdout, as the service's does, so send that to a file; figures go to stderr, one line a round. To compare two
// commits, run it in both by turns. `--cpu-prof` after `node` says where the time goes.
//   --rounds N (10) · --decisions N a round (20,000) · --uncached: no token is remembered · --in-flight N (32)

import { parseArgs } from 'node:util';
import { check } from '#ext-authz/check.ts';
import { startDecisionParts } from '#test/bench/decision/decision-parts.ts';
import { createDecisionKey, createDecisionWorld } from '#test/bench/decision/world.ts';
import { startKeyServer } from '#test/support/token-issuer.ts';

/** Of twenty tools each: a thousand tools. */
const SERVERS = 50;
const CALLERS = 1_000;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    decisions: { type: 'string', default: '20000' },
    'in-flight': { type: 'string', default: '32' },
    uncached: { type: 'boolean', default: false },
  },
});
const [rounds, decisions, inFlight] = [values.rounds, values.decisions, values['in-flight']].map(Number) as [
  number,
  number,
  number,
];

const key = createDecisionKey();
const keyServer = await startKeyServer([key.jwk]);
const world = createDecisionWorld(key, { servers: SERVERS, jwksUri: keyServer.url });
const messages = await Promise.all(
  Array.from({ length: CALLERS }, async (_, caller) => world.message(caller, await world.token(caller))),
);
const { parts, stop } = await startDecisionParts(world.snapshot, {
  cachedTokens: values.uncached ? 1 : undefined,
});

/** @throws if a call is refused: every caller is granted what he calls. */
const decideOne = async (index: number): Promise<void> => {
  const message = messages[index % CALLERS];
  const answer = message === undefined ? undefined : await check(parts, message);
  if (answer?.status.code !== 0) throw new Error(`refused: ${JSON.stringify(answer)}`);
};

const round = async (): Promise<number> => {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < decisions) {
      next += 1;
      await decideOne(next);
      // As a call arrives: with its own turn of the loop, so that batches are those of calls under way.
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const before = process.cpuUsage();
  await Promise.all(Array.from({ length: inFlight }, lane));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / decisions;
};

// The first round compiles and fills the caches.
await round();
for (let index = 0; index < rounds; index += 1)
  process.stderr.write(`${(await round()).toFixed(1)} µs of CPU a decision\n`);
const { maxRSS } = process.resourceUsage();
process.stderr.write(`at most ${Math.round(maxRSS / 1024)} MiB resident\n`);
await stop();
await keyServer.stop();
