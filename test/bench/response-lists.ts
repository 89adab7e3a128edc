// `npm run bench:lists`: a list of a thousand tools, cut to what a caller may see and held against what was approved, in
// one evaluation; beside parsing, filtering and writing the same text in the same run, which nobody could do without.

import { NO_DRIFT } from '#core/drift-book.ts';
import { responseGuardOf } from '#core/guard-in-force.ts';
import type { JsonObject } from '#core/json.ts';
import { ok } from '#core/result.ts';
import { createListStep } from '#ext-proc/lists/list-step.ts';
import { readAnswerMessage } from '#ext-proc/message/answer-message.ts';
import { createDriftWatch } from '#ext-proc/pins/drift-watch.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { benchTools, entriesOf, listAnswer } from '#test/bench/listed-tools.ts';
import { answerRules } from '#test/support/answer-rules.ts';
import { ordersTools } from '#test/support/guarded-call.ts';

const TOOLS = 1_000;
const ROUNDS = 60;
const WARM_UP = 10;

const tools = benchTools(TOOLS);

const listOf = (change: (entry: JsonObject, at: number) => JsonObject): Buffer =>
  listAnswer(entriesOf(tools).map(change));

/** Every second tool is one the caller may use. */
const names = tools.filter((_, at) => at % 2 === 0).map(({ name }) => name);
const shown = new Set(names);

const plainly = (bytes: Buffer): string => {
  const message = JSON.parse(bytes.toString('utf8')) as { result: { tools: { name: string }[] } };
  const kept = message.result.tools.filter(({ name }) => shown.has(name));
  return JSON.stringify({ ...message, result: { ...message.result, tools: kept } });
};

const drift = createDriftWatch({
  reporter: { report: async () => ok(true) },
  known: () => NO_DRIFT,
  metrics: createMetrics('bench'),
  logger: createLogger('bench', 'silent'),
  nowMs: Date.now,
});
const step = createListStep({ report: () => {}, drift });
const rules = answerRules({ tools });
const context = {
  orders: ordersTools(names),
  rules: { ...rules, guard: responseGuardOf(rules.tenant, rules.server) },
  kind: 'list',
  isErrorBody: false,
  replica: '10.0.0.1:80',
} as const;

const guarded = async (bytes: Buffer): Promise<string> => {
  const read = readAnswerMessage(bytes, { strict: true });
  if (!read.ok) throw new Error(read.error.fault);
  const outcome = await step(read.value, context);
  if (!outcome.ok) throw new Error(outcome.error.fault);
  return outcome.value.text;
};

const timed = async (work: () => unknown): Promise<number> => {
  const from = performance.now();
  await work();
  return performance.now() - from;
};

const spread = (values: readonly number[]): string => {
  const sorted = values.toSorted((a, b) => a - b);
  return [0, 0.5, 1].map((at) => (sorted[Math.floor(at * (sorted.length - 1))] ?? 0).toFixed(2)).join(' / ');
};

const compare = async (title: string, bytes: Buffer): Promise<void> => {
  const [ours, plain, ratios]: [number[], number[], number[]] = [[], [], []];
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    const [one, other] = [await timed(() => guarded(bytes)), await timed(() => plainly(bytes))];
    if (round < 0) continue;
    ours.push(one);
    plain.push(other);
    ratios.push(one / other);
  }
  process.stdout.write(
    `${title} (${Math.round(bytes.length / 1024)} KiB), min / median / max: guard ${spread(ours)} ms, ` +
      `parse, filter and write ${spread(plain)} ms, ratio ${spread(ratios)}\n`,
  );
};

await compare(
  `${TOOLS} tools as approved`,
  listOf((entry) => entry),
);
await compare(
  `${TOOLS} tools with icons`,
  listOf((entry) => ({ ...entry, icons: [{ src: 'https://tools.example/icon.png' }] })),
);
await compare(
  `${TOOLS} tools that drift`,
  listOf((entry, at) => ({ ...entry, description: `Something else ${at}.` })),
);
