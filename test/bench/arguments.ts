// `npm run bench:arguments`: what it costs to hold arguments against their schema, in times of what JSON.parse takes for
// the text they came in, in the same run; and what it costs to make a schema ready, once.

import type { Json, JsonObject } from '#core/json.ts';
import { judgeArguments } from '#ext-authz/arguments/judge-arguments.ts';
import { judgeBySchema } from '#runtime/json-schema/judge-by-schema.ts';
import { answerRules, pinnedTool } from '#test/support/answer-rules.ts';

const ROUNDS = 9;
const RUNS = 20_000;

const STRING = { type: 'string', maxLength: 200 };
const ISSUE: JsonObject = {
  type: 'object',
  properties: {
    title: { ...STRING, minLength: 1 },
    description: { type: 'string', maxLength: 10_000 },
    priority: { type: 'string', enum: ['low', 'medium', 'high', 'critical'] },
    labels: {
      type: 'array',
      items: { type: 'string', pattern: '^[a-z][a-z0-9-]{0,30}$' },
      uniqueItems: true,
    },
    assignee: { anyOf: [{ type: 'string', pattern: '^[^@]+@[^@]+$' }, { type: 'null' }] },
  },
  required: ['title'],
  additionalProperties: false,
};
const ROW: JsonObject = {
  type: 'object',
  properties: { id: { type: 'integer' }, name: STRING, at: { $ref: '#/$defs/time' } },
  required: ['id', 'name'],
  additionalProperties: false,
};
const ROWS: JsonObject = {
  type: 'object',
  properties: { rows: { type: 'array', items: ROW } },
  $defs: { time: { type: 'string', format: 'date-time' } },
};
const issue: JsonObject = {
  title: 'The door squeaks',
  description: 'It has done so for a week. '.repeat(8),
  priority: 'high',
  labels: ['door', 'noise', 'building-7'],
  assignee: 'someone@mail.example',
};
const rows: JsonObject = {
  rows: Array.from({ length: 500 }, (_, id) => ({ id, name: `row ${id}`, at: '2026-01-01T00:00:00Z' })),
};

/** Microseconds a run takes, in the middle of several rounds. */
const middleOf = (runs: number, work: () => unknown): number => {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const startedAt = performance.now();
    for (let run = 0; run < runs; run += 1) work();
    return ((performance.now() - startedAt) * 1000) / runs;
  });
  return rounds.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0;
};

const say = (what: string, line: string): void => void process.stdout.write(`${what.padEnd(28)} ${line}\n`);

const compare = (what: string, schema: JsonObject, args: JsonObject): void => {
  const text = JSON.stringify(args);
  const runs = Math.max(20, Math.round((RUNS * 100) / text.length));
  const tools = [pinnedTool('t', { inputSchema: schema })];
  const { tenant, server, version } = answerRules({ tools });
  const call = {
    kind: 'request',
    era: 'legacy',
    protocolVersion: '2025-11-25',
    method: 'tools/call',
    targets: [{ kind: 'tool', name: 't' }],
    arguments: args,
    params: {},
  } as const;
  const known = { place: { tenant, server }, call, version, bodyLength: text.length };
  if (judgeArguments(known) !== undefined) throw new Error(`${what} has to fit`);
  const parsed = middleOf(runs, () => JSON.parse(text));
  const judged = middleOf(runs, () => judgeArguments(known));
  say(
    what,
    `${judged.toFixed(1)} µs, JSON.parse ${parsed.toFixed(1)} µs: ${(judged / parsed).toFixed(1)} times`,
  );
};

const makeReady = (what: string, schema: JsonObject): void => {
  const copies: JsonObject[] = Array.from(
    { length: 50 * ROUNDS },
    () => structuredClone(schema) as JsonObject,
  );
  const value: Json = null;
  const took = middleOf(50, () => judgeBySchema(copies.pop() ?? {}, value, { textLength: 4 }));
  say(what, `${took.toFixed(0)} µs, once`);
};

compare('an issue, 380 bytes', ISSUE, issue);
compare('500 rows, 30 KB', ROWS, rows);
makeReady('a schema made ready', ISSUE);
makeReady('one of a thousand members', {
  properties: Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`field_${n}`, ROW])),
  $defs: { time: true },
});
