// What a replay says changes, for whom, and what it says it cannot know.

import { describe, expect, it } from 'vitest';
import { deny } from '#core/decision.ts';
import type { Json, JsonObject } from '#core/json.ts';
import type { PolicyDecision } from '#core/policy/answer.ts';
import { err, ok } from '#core/result.ts';
import type { PolicyEngine } from '#ext-authz/policy/engine.ts';
import { replay } from '#ext-authz/replay/replay.ts';
import { replayReport } from '#ext-authz/replay/report.ts';

const ALLOW = { allow: true, obligations: {}, explain: [] } as const;
const REFUSAL = { allow: false, reason: 'constraint_violated', constraint: 'c', explain: [] } as const;
const shown = (...names: readonly string[]) => ({
  tools: { all: false as const, names },
  prompts: { all: true as const },
  resources: { all: true as const },
  resourceTemplates: { all: true as const },
});

const engine = (changes: Partial<PolicyEngine> = {}): PolicyEngine => ({
  revision: 'new@1',
  readsArguments: false,
  evaluate: () => ok(ALLOW),
  visible: () => ok(shown('a')),
  ...changes,
});

const INPUT = {
  tenant: 'acme',
  identity: { issuerId: 'contoso', oid: 'alice', kind: 'user' },
  server: { id: 'tracker' },
  call: { method: 'tools/call', targets: [{ kind: 'tool', name: 'purge' }] },
  request: { id: 'r-1' },
};

const event = (result: Json | undefined, changes: JsonObject = {}): string =>
  JSON.stringify({
    decision_id: 'd-1',
    bundles: { old: { revision: '0' } },
    path: 'mcp/authz/decision',
    input: INPUT,
    ...(result === undefined ? { error: { code: 'policy_failed' } } : { result }),
    ...changes,
  });

async function* lines(...all: readonly string[]) {
  yield* all;
}

const deciding = (decision: PolicyDecision) => engine({ evaluate: () => ok(decision) });
const failing = engine({ evaluate: () => err(deny('policy_failed')) });

describe('replay', () => {
  it.each<[string, PolicyEngine, Json | undefined, string | undefined]>([
    ['an allow that stays one', engine(), ALLOW, undefined],
    ['an allow that is refused', deciding(REFUSAL), ALLOW, 'now refused'],
    ['a refusal that is allowed', engine(), REFUSAL, 'now allowed'],
    ['another constraint', deciding({ ...REFUSAL, constraint: 'd' }), REFUSAL, 'other reason'],
    ['other scopes', deciding({ ...REFUSAL, requiredScopes: ['s'] }), REFUSAL, 'other reason'],
    ['another explanation of the same', deciding({ ...REFUSAL, explain: ['x'] }), REFUSAL, undefined],
    ['other orders', deciding({ ...ALLOW, obligations: { approval: ['rule'] } }), ALLOW, 'other orders'],
    ['an answer that fails now', failing, ALLOW, 'fails'],
    ['a failure that is answered now', engine(), undefined, 'answers'],
    ['a failure that stays one', failing, undefined, undefined],
  ])('sees %s', async (_title, policy, recorded, change) => {
    const { changes, same, decisions } = await replay(policy, lines(event(recorded)));
    expect(decisions).toBe(1);
    expect(Object.keys(changes)).toEqual(change === undefined ? [] : [change]);
    expect(same).toBe(change === undefined ? 1 : 0);
  });

  it('sees lists that show more or less', async () => {
    const list = (...names: readonly string[]) => event(shown(...names), { path: 'mcp/authz/visible' });
    const { same, changes } = await replay(engine(), lines(list('a'), list('a', 'b'), list()));
    expect(same).toBe(1);
    expect(changes['other list']?.examples).toMatchObject([
      { before: 'hides tools/b', now: 'adds nothing' },
      { before: 'hides nothing', now: 'adds tools/a' },
    ]);
  });

  it('counts for whom, and shows which', async () => {
    const bob = event(ALLOW, { input: { ...INPUT, identity: { ...INPUT.identity, oid: 'bob' } } });
    const summary = await replay(deciding(REFUSAL), lines(event(ALLOW), bob, event(ALLOW), 'nonsense', ''));
    expect(summary).toMatchObject({ decisions: 3, same: 0, unreadable: 1, recordedBy: { 'old@0': 3 } });
    expect(summary.changes['now refused']).toMatchObject({
      count: 3,
      uncertain: 0,
      tenants: { acme: 3 },
      targets: { 'tracker/purge': 3 },
      callers: { 'contoso:alice': 2, 'contoso:bob': 1 },
    });
    expect(summary.changes['now refused']?.examples[0]).toEqual({
      change: 'now refused',
      decisionId: 'd-1',
      requestId: 'r-1',
      tenant: 'acme',
      caller: 'contoso:alice',
      target: 'tracker/purge',
      before: 'allowed',
      now: 'refused: constraint_violated c',
    });
    const report = replayReport(summary, 'new@1');
    expect(report).toMatch(/^3 decisions of old@0 3, judged by new@1: 0 the same, 3 others\n1 lines are no/);
    expect(report).toContain('callers  contoso:alice 2, contoso:bob 1');
  });

  it.each<[string, PolicyEngine, JsonObject]>([
    ['values were kept out of the log', engine(), { erased: ['/input/call/values'] }],
    ['the policy reads arguments that were not recorded', engine({ readsArguments: true }), {}],
  ])('says that it cannot know if %s', async (_title, policy, changes) => {
    const summary = await replay(policy, lines(event(REFUSAL, changes)));
    expect(summary.changes['now allowed']).toMatchObject({ count: 1, uncertain: 1 });
    expect(Object.keys(summary.lacking)).toHaveLength(1);
    expect(replayReport(summary, 'x')).toContain('1 of them uncertain');
  });

  it('is certain where only address and session are missing', async () => {
    const summary = await replay(engine(), lines(event(REFUSAL, { erased: ['/input/request/ip'] })));
    expect(summary.changes['now allowed']).toMatchObject({ count: 1, uncertain: 0 });
  });
});
