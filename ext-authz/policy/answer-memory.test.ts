// When an answer of the policy is given again, and that it is asked anew as soon as anything could be otherwise.

import { expect, it } from 'vitest';
import type { Deny } from '#core/decision.ts';
import { deny } from '#core/decision.ts';
import type { McpCall } from '#core/mcp-call.ts';
import type { PolicyDecision } from '#core/policy/answer.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { PolicyEngine } from '#ext-authz/policy/engine.ts';
import type { PolicyQuestion } from '#ext-authz/policy/input.ts';
import { createPolicy } from '#ext-authz/policy/judge.ts';
import {
  ALICE,
  grant,
  listCall,
  question,
  SERVER,
  tenant,
  toolCall,
  VERSION,
} from '#test/support/policy-world.ts';

const ALLOW: PolicyDecision = { allow: true, obligations: {}, explain: ['grant/g'] };
const REFUSE: PolicyDecision = { allow: false, reason: 'tool_not_granted', explain: [] };

/** An engine that counts how often it is asked. */
const engineOf = (
  changes: Partial<PolicyEngine> = {},
  answer: () => Result<PolicyDecision, Deny> = () => ok(ALLOW),
) => {
  const all = { all: false as const, names: [] };
  const lists = { tools: all, prompts: all, resources: all, resourceTemplates: all };
  const counted = { asked: 0 };
  const engine: PolicyEngine = {
    revision: 'r',
    readsArguments: false,
    rulesAreKnown: true,
    evaluate: () => {
      counted.asked += 1;
      return answer();
    },
    visible: () => ok(lists),
    ...changes,
  };
  return { counted, engine };
};

const WORLD = tenant([grant('g')]);

/** A caller nobody has heard of, whose token is the same in every call. */
const callerOf = (): Partial<PolicyQuestion> => ({
  tenant: WORLD,
  identity: { ...ALICE },
  call: toolCall('purge'),
});

const asksFor = (engines: readonly PolicyEngine[], questions: readonly Partial<PolicyQuestion>[]) => {
  const left = [...engines];
  const policy = createPolicy({
    holder: { current: () => left.shift() ?? (engines.at(-1) as PolicyEngine) },
  });
  return questions.map((asked) => policy.judge(question(asked)));
};

it('gives the same caller the same answer for the same call, and asks once', () => {
  const { engine, counted } = engineOf();
  const caller = callerOf();
  const [first, second] = asksFor(
    [engine],
    [caller, { ...caller, call: toolCall('purge', { other: 'arguments' }) }],
  );
  expect(second).toEqual(first);
  expect(first).toEqual({ ...ok({ obligations: {}, explain: ['grant/g'], lists: [] }), revision: 'r' });
  expect(counted.asked).toBe(1);
});

it('refuses again what was refused', () => {
  const { engine, counted } = engineOf({}, () => ok(REFUSE));
  const caller = callerOf();
  const [first, second] = asksFor([engine], [caller, caller]);
  expect(first).toMatchObject({ error: { reason: 'tool_not_granted' } });
  expect(second).toEqual(first);
  expect(counted.asked).toBe(1);
});

it('keeps no failure', () => {
  const { engine, counted } = engineOf({}, () => err(deny('policy_failed')));
  const caller = callerOf();
  asksFor([engine], [caller, caller]);
  expect(counted.asked).toBe(2);
});

const call = toolCall('purge');
it.each<[string, Partial<PolicyQuestion>]>([
  ['another token', { identity: { ...ALICE } }],
  ['other grants', { tenant: { ...WORLD, grants: [...WORLD.grants] } }],
  ['another server', { server: { ...SERVER } }],
  ['another version', { version: { ...VERSION } }],
  ['another tool', { call: toolCall('list_issues') }],
  ['another method', { call: { ...call, method: 'prompts/get' } }],
  ['another kind of target', { call: { ...call, targets: [{ kind: 'prompt', name: 'purge' }] } }],
  ['one target more', { call: { ...call, targets: [...call.targets, ...call.targets] } }],
])('asks anew for %s', (_, change) => {
  const { engine, counted } = engineOf();
  const caller = callerOf();
  asksFor([engine], [caller, { ...caller, ...change }, caller]);
  expect(counted.asked).toBeGreaterThanOrEqual(2);
});

it('asks the policy that took the place of another', () => {
  const [one, other] = [engineOf(), engineOf()];
  const caller = callerOf();
  asksFor([one.engine, other.engine], [caller, caller]);
  expect([one.counted.asked, other.counted.asked]).toEqual([1, 1]);
});

it.each<[string, Partial<PolicyEngine>, Partial<McpCall> | undefined]>([
  ['whose rules nobody knows', { rulesAreKnown: false }, undefined],
  ['that reads arguments', { readsArguments: true }, undefined],
  ['of a call that a limit concerns', {}, toolCall('create_issue')],
  ['of a list', {}, listCall('tools')],
  ['of an upgrade', {}, { kind: 'upgrade' }],
  ['of a stream', {}, { kind: 'stream' }],
  ['of a name too long to keep', {}, { targets: [{ kind: 'resource', name: 'x'.repeat(600) }] }],
])('asks every time a policy %s', (_, changes, ofCall) => {
  const { engine, counted } = engineOf(changes);
  const caller = { ...callerOf(), call: { ...call, ...ofCall } };
  asksFor([engine], [caller]);
  const once = counted.asked;
  asksFor([engine], [caller]);
  expect(counted.asked).toBe(2 * once);
});

it('keeps a few answers of a caller and begins anew', () => {
  const { engine, counted } = engineOf();
  const caller = callerOf();
  const prompts = Array.from({ length: 17 }, (_, index) => ({
    ...caller,
    call: { ...call, method: 'prompts/get', targets: [{ kind: 'prompt', name: `p${index}` }] } as McpCall,
  }));
  asksFor([engine], [...prompts, prompts[0] ?? {}]);
  expect(counted.asked).toBe(18);
});
