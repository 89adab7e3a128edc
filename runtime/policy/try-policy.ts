// What a policy must prove before anybody is judged by it: it loads, it answers every kind of question in the
// known shape, and it is quick about the largest ones there are. It runs in a thread of its own, which ends here whatever
// the policy does. What it answers is not judged here: a tenant's can only narrow, and the platform's has vectors of its
// own.

import type { Json, JsonObject } from '#core/json.ts';
import { readDecision, readVisible } from '#core/policy/read-answer.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { PolicyBundle } from '#runtime/policy/bundle.ts';
import { type Entrypoint, type PolicyThread, startPolicyThread } from '#runtime/policy/policy-thread.ts';
import { STRANGER, TOOL } from '#runtime/policy/stranger.ts';

/** Longest input of an evaluation, bytes: turning JSON in and out is most of what one costs. */
export const MAX_INPUT_BYTES = 256 * 1024;

/** Time of one message to the thread, milliseconds; the first of them compiles the module. */
const LIMIT_MS = 5_000;

/** The best of several tries, milliseconds: a busy machine is no fault of the policy. */
const SLOW_MS = 250;
const TRIES = 5;

const TOOLS_OF_A_LARGE_SERVER = 1_000;

const GRANT = {
  id: 'all',
  subjects: [{ kind: 'group', id: 'self-test' }],
  tools: ['*'],
  prompts: ['*'],
  resources: ['*'],
};

const call = (method: string, changes: JsonObject = {}): JsonObject => ({
  kind: 'request',
  method,
  targets: [],
  values: {},
  ...changes,
});

const TOOL_CALL = call('tools/call', { targets: [{ kind: 'tool', name: 'self_test' }] });
const GRANTED: JsonObject = { ...STRANGER, grants: [GRANT] };

const listing = (tools: Json): JsonObject => ({
  ...GRANTED,
  server: { id: 'self-test', version: '0', requiredScopes: [], tools },
  call: call('tools/list', { list: 'tools' }),
});

const MANY_TOOLS = Array.from({ length: TOOLS_OF_A_LARGE_SERVER }, (_, at) => ({
  ...TOOL,
  name: `self_test_${at}`,
}));

/** As many small members as fit: they cost a policy more than one long text. */
const largeArguments = (): JsonObject => {
  const count = Math.floor((MAX_INPUT_BYTES - 4_096) / '"member_00000":"0123456789",'.length);
  const members = Array.from({ length: count }, (_, at) => [
    `member_${String(at).padStart(5, '0')}`,
    '0123456789',
  ]);
  return Object.fromEntries(members) as JsonObject;
};

type Question = { readonly title: string; readonly entrypoint: Entrypoint; readonly input: JsonObject };

const decision = (title: string, input: JsonObject): Question => ({
  title,
  entrypoint: 'mcp/authz/decision',
  input,
});
const visible = (title: string, input: JsonObject): Question => ({
  title,
  entrypoint: 'mcp/authz/visible',
  input,
});

const QUESTIONS: readonly Question[] = [
  decision('a call of a caller without grants', { ...STRANGER, tool: TOOL, call: TOOL_CALL }),
  decision('a call of a caller with a grant', {
    ...GRANTED,
    tool: TOOL,
    call: { ...TOOL_CALL, arguments: {} },
  }),
  decision('the beginning of a session', { ...GRANTED, call: call('initialize') }),
  decision('a list', listing([TOOL])),
  visible('what a list shows', listing([TOOL])),
];

const largestQuestions = (): readonly Question[] => [
  decision('a call with the largest arguments', {
    ...GRANTED,
    tool: TOOL,
    call: { ...TOOL_CALL, arguments: largeArguments() },
  }),
  visible(`a list of ${TOOLS_OF_A_LARGE_SERVER} tools`, listing(MANY_TOOLS)),
];

const READERS: Readonly<Record<Entrypoint, (answer: unknown) => Result<unknown, string>>> = {
  'mcp/authz/decision': readDecision,
  'mcp/authz/visible': readVisible,
};

type Tried = { readonly id: string; readonly thread: PolicyThread };

/** Milliseconds it took. */
const ask = async (
  { id, thread }: Tried,
  { title, entrypoint, input }: Question,
): Promise<Result<number, string>> => {
  const answer = await thread.ask(id, entrypoint, JSON.stringify(input));
  if (!answer.ok) return err(`${title}: ${answer.error.message}`);
  const read = READERS[entrypoint](answer.value.results);
  return read.ok ? ok(answer.value.ms) : err(`${title}: ${read.error}`);
};

const askOften = async (tried: Tried, question: Question): Promise<string | undefined> => {
  let best = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < TRIES && best > SLOW_MS; tries += 1) {
    const asked = await ask(tried, question);
    if (!asked.ok) return asked.error;
    best = Math.min(best, asked.value);
  }
  return best > SLOW_MS
    ? `${question.title}: takes ${Math.round(best)} ms, and ${SLOW_MS} are allowed`
    : undefined;
};

/** What of a policy runs. */
type Runnable = Pick<PolicyBundle, 'wasm' | 'data'>;

const tryIn = async (thread: PolicyThread, bundle: Runnable): Promise<string | undefined> => {
  const tried = { id: 'tried', thread };
  const loaded = await thread.load(tried.id, bundle);
  if (!loaded.ok) return loaded.error.message;
  for (const question of QUESTIONS) {
    const asked = await ask(tried, question);
    if (!asked.ok) return asked.error;
  }
  for (const question of largestQuestions()) {
    const fault = await askOften(tried, question);
    if (fault !== undefined) return fault;
  }
  return undefined;
};

/** Nothing against the policy; or what it failed. Never rejects. */
export const tryPolicy = async (bundle: Runnable): Promise<Result<true, string>> => {
  const thread = startPolicyThread(LIMIT_MS);
  try {
    const fault = await tryIn(thread, bundle);
    return fault === undefined ? ok(true) : err(fault);
  } finally {
    await thread.stop();
  }
};
