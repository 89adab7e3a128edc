// One policy, two machines: what OPA itself answers and what the compiled module answers must be the same, for the
// written vectors and for thousands of random questions.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '#core/json.ts';
import { readDecision, readVisible } from '#core/policy/read-answer.ts';
import { DEFAULT_BUNDLE } from '#ext-authz/policy/bundle.ts';
import { loadVectors } from '#policies/build/vectors.ts';
import { loadPolicyModule } from '#runtime/policy/wasm-module.ts';
import { requireOpa } from '#test/policy/opa.ts';

const POLICIES = resolve(import.meta.dirname, '../../policies');
const ENTRYPOINTS = ['mcp/authz/decision', 'mcp/authz/visible'] as const;
type Entrypoint = (typeof ENTRYPOINTS)[number];

const vectors = await loadVectors(join(POLICIES, 'vectors'));

const opa = requireOpa();
const workspace = mkdtempSync(join(tmpdir(), 'mcpgw-vectors-'));
const wasm = loadPolicyModule(readFileSync(DEFAULT_BUNDLE.replace(/\.json$/, '.wasm')), {
  data: {},
  entrypoints: ENTRYPOINTS,
}).instantiate();
afterAll(() => rmSync(workspace, { recursive: true, force: true }));

const askWasm = (input: JsonObject, entrypoint: Entrypoint): unknown =>
  wasm.evaluate(JSON.stringify(input), entrypoint);

/** Answers of OPA to all inputs in one run; one that is undefined is missing. */
const askOpa = async (inputs: readonly JsonObject[], entrypoint: Entrypoint): Promise<readonly unknown[]> => {
  const path = join(workspace, 'inputs.json');
  writeFileSync(path, JSON.stringify({ inputs }));
  const rule = `data.${entrypoint.replaceAll('/', '.')}`;
  const query = `{index: answer | some index, asked in input.inputs; answer := ${rule} with input as asked}`;
  const output = await opa(['eval', '--format', 'json', '-d', join(POLICIES, 'mcp'), '-i', path, query]);
  const answers = JSON.parse(output).result[0].expressions[0].value as Record<string, unknown>;
  return inputs.map((_input, index) => answers[index]);
};

describe('the vectors', () => {
  const of = (entrypoint: Entrypoint) => vectors.filter((vector) => vector.entrypoint === entrypoint);
  const expecting = (allow: boolean) =>
    of('mcp/authz/decision').filter(({ expected }) => (expected as { allow?: Json }).allow === allow);

  it('are many, allow and refuse, and have a title each', () => {
    expect(expecting(true).length).toBeGreaterThanOrEqual(40);
    expect(expecting(false).length).toBeGreaterThanOrEqual(60);
    expect(of('mcp/authz/visible').length).toBeGreaterThanOrEqual(8);
    expect(new Set(vectors.map(({ title }) => title)).size).toBe(vectors.length);
  });

  it('give every reason a policy may give', () => {
    const reasons = new Set(expecting(false).map(({ expected }) => (expected as { reason?: Json }).reason));
    expect([...reasons].sort()).toEqual([
      'caller_not_granted',
      'constraint_violated',
      'scope_insufficient',
      'target_not_granted',
      'tool_not_granted',
      'tool_unknown',
    ]);
  });

  it.each(vectors.map((vector) => [vector.title, vector] as const))('in WASM: %s', (_title, vector) => {
    const answer = askWasm(vector.input, vector.entrypoint);
    expect(answer).toEqual([{ result: vector.expected }]);
    const read = vector.entrypoint === 'mcp/authz/decision' ? readDecision(answer) : readVisible(answer);
    expect(read.ok).toBe(true);
  });

  it.each(ENTRYPOINTS)('in OPA: %s', async (entrypoint) => {
    const asked = of(entrypoint);
    const answers = await askOpa(
      asked.map(({ input }) => input),
      entrypoint,
    );
    const expected = asked.map((vector) => ({ title: vector.title, answer: vector.expected }));
    expect(answers.map((answer, index) => ({ title: asked[index]?.title, answer }))).toEqual(expected);
  });
});

describe('random questions', () => {
  const few = <T>(...values: readonly T[]) => fc.constantFrom(...values);
  const some = (...values: readonly string[]) => fc.uniqueArray(few(...values), { maxLength: values.length });
  const subject = fc.record(
    {
      kind: few('group', 'role', 'user', 'application'),
      id: few('a', 'b', 'c'),
      issuerId: few('home', 'partner'),
    },
    { requiredKeys: ['kind', 'id'] },
  );
  const names = few<readonly string[]>(['t1'], ['t1', 't2'], ['t2'], ['*'], []);
  const grant = fc.record({
    id: few('g1', 'g2', 'g3'),
    subjects: fc.array(subject, { minLength: 1, maxLength: 3 }),
    tools: names,
    prompts: names,
    resources: names,
  });
  const value = few<Json>('t1', 'ab', 'é🎈', 3, 4.5, -1, 0, null, true, false, [], ['a'], {}, { a: 1 });
  const limit = fc.oneof(
    fc.record({ oneOf: fc.array(value, { maxLength: 4 }) }),
    fc.record({ maximum: few(0, 3, 4.4) }),
    fc.record({ maxLength: few(0, 2) }),
    fc.record({ prefix: few('', 'a', 'é') }),
    fc.record({ prefix: few('a'), maximum: few(1) }),
  );
  const constraint = fc
    .tuple(few('c1', 'c2'), few('/x', '/y'), some('a', 'b'), limit)
    .map(([name, pointer, exceptGroups, bound]) => ({ name, pointer, exceptGroups, ...bound }));
  const relation = few(
    { issuerId: 'home', relation: 'home', guest: false },
    { issuerId: 'home', relation: 'home', guest: false },
    { issuerId: 'home', relation: 'home', guest: false },
    { issuerId: 'home', relation: 'home', guest: true },
    { issuerId: 'partner', relation: 'partner', guest: true },
  );
  const claims = fc.record(
    {
      kind: few('user', 'user', 'app'),
      subject: few('a', 'b'),
      oid: few('a', 'c'),
      app: few('a', 'b'),
      groups: some('a', 'b', 'c'),
      roles: some('a', 'b'),
      scopes: few<readonly string[]>(['s1', 's2'], ['s1', 's2'], ['s1'], []),
    },
    { requiredKeys: ['kind', 'subject', 'groups', 'roles', 'scopes'] },
  );
  const identity = fc.tuple(relation, claims).map(([from, who]) => ({ ...from, ...who }));
  const tool = fc.record({
    name: few('t1', 't1', 't2'),
    requiredScopes: some('s1', 's2'),
    constraints: fc.array(constraint, { maxLength: 2 }),
  });
  const target = fc.record({ kind: few('tool', 'tool', 'prompt', 'resource'), name: few('t1', 't1', 't2') });
  const question = fc.record(
    {
      identity,
      tool,
      grants: fc.array(grant, { minLength: 1, maxLength: 5 }),
      server: fc.record({
        requiredScopes: some('s1'),
        tools: fc.constant([{ name: 't1' }, { name: 't2' }, { name: 't3' }]),
      }),
      call: fc.record({
        method: few('tools/call', 'ping', 'prompts/get'),
        targets: fc.array(target, { maxLength: 2 }),
        values: fc.dictionary(few('/x', '/y'), value),
      }),
    },
    { requiredKeys: ['identity', 'grants', 'server', 'call'] },
  );
  const questions = fc.sample(question, { seed: 20260728, numRuns: 3000 }) as unknown as JsonObject[];

  it.each(ENTRYPOINTS)('have one answer at %s', async (entrypoint) => {
    const fromOpa = await askOpa(questions, entrypoint);
    const fromWasm = questions.map((input) => askWasm(input, entrypoint));
    expect(fromWasm).toEqual(fromOpa.map((result) => [{ result }]));
  });

  it('are allowed and refused for every reason often enough to mean something', () => {
    const counts = new Map<string, number>();
    for (const input of questions) {
      const decision = readDecision(askWasm(input, 'mcp/authz/decision'));
      if (!decision.ok) throw new Error(decision.error);
      const outcome = decision.value.allow ? 'allow' : decision.value.reason;
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    }
    console.log('random questions:', Object.fromEntries(counts));
    expect(counts.size).toBe(7);
    for (const [outcome, count] of counts) expect(count, outcome).toBeGreaterThan(60);
    expect(counts.get('allow')).toBeGreaterThan(250);
  });

  it('show in a list exactly the tools that can be called when no constraint speaks', () => {
    for (const input of questions) {
      const visible = readVisible(askWasm(input, 'mcp/authz/visible'));
      if (!visible.ok) throw new Error(visible.error);
      const callable = ['t1', 't2', 't3'].filter((name) => {
        const call = { method: 'tools/call', targets: [{ kind: 'tool', name }], values: {} };
        const asked = { ...input, tool: { name, requiredScopes: [], constraints: [] }, call };
        const server = { requiredScopes: [] };
        const decision = readDecision(askWasm({ ...asked, server }, 'mcp/authz/decision'));
        return decision.ok && decision.value.allow;
      });
      expect(visible.value.tools.names).toEqual(callable);
    }
  });
});
