// A bundle on trial: it is compared with what judges, and nothing of it is ever felt by a call.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { deny } from '#core/decision.ts';
import type { PolicyDecision, VisibleLists } from '#core/policy/answer.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import { DEFAULT_BUNDLE } from '#ext-authz/policy/bundle.ts';
import { createCallPolicy } from '#ext-authz/policy/call-policy.ts';
import { createPolicy } from '#ext-authz/policy/judge.ts';
import { ENTRYPOINTS } from '#ext-authz/policy/manifest.ts';
import { createShadow, type ShadowDifference } from '#ext-authz/policy/shadow.ts';
import type { TenantEngine } from '#ext-authz/policy/tenant-engine.ts';
import { createWasmEngine } from '#ext-authz/policy/wasm-engine.ts';
import { createLogger } from '#runtime/logger.ts';
import { loadPolicyModule } from '#runtime/policy/wasm-module.ts';
import { grant, listCall, question, tenant, toolCall } from '#test/support/policy-world.ts';

const module = loadPolicyModule(readFileSync(DEFAULT_BUNDLE.replace(/\.json$/, '.wasm')), {
  data: {},
  entrypoints: ENTRYPOINTS,
});
const engine = createWasmEngine({ module, revision: 'default@sha256:0', readsArguments: false });
const platform = createPolicy({ holder: { current: () => engine } });

const ALLOW: PolicyDecision = { allow: true, obligations: {}, explain: [] };
const refusal = (constraint: string): PolicyDecision => ({
  allow: false,
  reason: 'constraint_violated',
  constraint,
  explain: [],
});

const shows = (...names: readonly string[]): VisibleLists => ({
  tools: { all: false, names },
  prompts: { all: true },
  resources: { all: true },
  resourceTemplates: { all: true },
});

const EVERYTHING = shows('create_issue', 'list_issues', 'purge');

const engineThat = (decision: PolicyDecision, visible = EVERYTHING): TenantEngine => ({
  revision: 'bundle@sha256:shadow',
  evaluate: async () => ok(decision),
  visible: async () => ok(visible),
});

const DIGEST = '0'.repeat(64);

const world = (bundle: boolean): Tenant => ({
  ...tenant([grant('g', { tools: ['*'] })]),
  policy: {
    keys: [],
    requireSignature: false,
    shadow: { digest: DIGEST },
    ...(bundle ? { bundle: { digest: DIGEST } } : {}),
  },
});

const NO_REMOTES = {
  engineOf: (): TenantEngine => {
    throw new Error('no tenant here has one');
  },
};

/** A policy step whose shadow is `trial` beside `judging`, if any of the tenant's judges. */
const policyWith = (trial: TenantEngine | undefined, judging?: TenantEngine) => {
  const differences: ShadowDifference[] = [];
  const lines: string[] = [];
  let nowMs = 0;
  const shadow = createShadow({
    serving: () => trial,
    compared: (_tenantId, difference) => differences.push(difference),
    logger: createLogger('ext-authz', 'debug', { write: (line) => lines.push(line) }),
    monotonicMs: () => nowMs,
  });
  const tenants = {
    engineOf: async (): Promise<Result<TenantEngine, ReturnType<typeof deny>>> =>
      judging === undefined ? err(deny('policy_failed')) : ok(judging),
  };
  const policy = createCallPolicy({ platform, tenants, remotes: NO_REMOTES, shadow });
  const of = world(judging !== undefined);
  return {
    differences,
    lines,
    later: (ms: number) => {
      nowMs += ms;
    },
    judge: (call = toolCall('create_issue', { title: 'a secret' })) =>
      policy.judge(question({ tenant: of, call, request: { nowMs: 0, id: 'request-7' } })),
  };
};

const settled = (seen: readonly unknown[], count: number) => expect.poll(() => seen.length).toBe(count);

describe('a shadow', () => {
  it.each<[ShadowDifference, TenantEngine, TenantEngine | undefined]>([
    ['none', engineThat(ALLOW), undefined],
    ['none', engineThat(refusal('a')), engineThat(refusal('a'))],
    ['would-refuse', engineThat(refusal('a')), undefined],
    ['would-refuse', engineThat(ALLOW, shows('list_issues')), engineThat(ALLOW)],
    ['would-allow', engineThat(ALLOW), engineThat(refusal('a'))],
    ['other-reason', engineThat(refusal('a')), engineThat(refusal('b'))],
    ['other-orders', engineThat({ ...ALLOW, obligations: { approval: ['x'] } }), engineThat(ALLOW)],
    ['failed', { ...engineThat(ALLOW), evaluate: async () => err(deny('policy_failed')) }, engineThat(ALLOW)],
    ['failed', { ...engineThat(ALLOW), evaluate: () => Promise.reject(new Error('broken')) }, undefined],
  ])('differs by %s', async (difference, trial, judging) => {
    const { judge, differences } = policyWith(trial, judging);
    const expected = judging === undefined ? undefined : await policyWith(undefined, judging).judge();
    const judged = await judge();
    if (expected !== undefined) expect(judged).toEqual(expected);
    else expect(judged.ok).toBe(true);
    await settled(differences, 1);
    expect(differences).toEqual([difference]);
  });

  it('differs by what lists would show', async () => {
    const { judge, differences } = policyWith(engineThat(ALLOW, shows('list_issues')), engineThat(ALLOW));
    expect(await judge(listCall('tools'))).toMatchObject({
      value: { lists: [{ visible: { names: ['create_issue', 'list_issues', 'purge'] } }] },
    });
    await settled(differences, 1);
    expect(differences).toEqual(['other-lists']);
  });

  it('is told with the call and both reasons, and no argument', async () => {
    const { judge, differences, lines } = policyWith(
      engineThat(refusal('new-rule')),
      engineThat(refusal('old-rule')),
    );
    await judge();
    await settled(differences, 1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      message: 'shadow policy differs',
      tenant: 'default',
      server: 'tracker',
      principal: 'alice',
      requestId: 'request-7',
      method: 'tools/call',
      targets: ['tool/create_issue'],
      difference: 'other-reason',
      shadow: 'bundle@sha256:shadow',
      judged: { decision: 'deny', reason: 'constraint_violated', constraint: 'old-rule' },
      shadowed: { decision: 'deny', reason: 'constraint_violated', constraint: 'new-rule' },
    });
    expect(lines.join()).not.toContain('a secret');
  });

  it('is not waited for: a call of a tenant without a bundle is answered before it is asked', () => {
    let asked = false;
    const trial: TenantEngine = {
      ...engineThat(ALLOW),
      visible: () => {
        asked = true;
        return new Promise(() => undefined);
      },
    };
    expect(policyWith(trial).judge()).toMatchObject({ ok: true });
    expect(asked).toBe(false);
  });

  it('is not asked more than it can answer', async () => {
    const trial: TenantEngine = { ...engineThat(ALLOW), visible: () => new Promise(() => undefined) };
    const { judge, differences } = policyWith(trial);
    for (let calls = 0; calls < 40; calls += 1) expect(await judge()).toMatchObject({ ok: true });
    expect(differences).toEqual(Array.from({ length: 8 }, () => 'dropped'));
  });

  it('is counted as dropped while it is not loaded', async () => {
    const { judge, differences } = policyWith(undefined);
    expect(await judge()).toMatchObject({ ok: true });
    expect(differences).toEqual(['dropped']);
  });

  it('is told a few times a second, and counted each time', async () => {
    const { judge, differences, lines, later } = policyWith(engineThat(refusal('a')));
    for (let calls = 0; calls < 30; calls += 1) {
      await judge();
      await settled(differences, calls + 1);
    }
    expect(lines).toHaveLength(20);
    later(1_000);
    await judge();
    await settled(differences, 31);
    expect(lines).toHaveLength(21);
  });

  it('is not asked about what the platform refuses', async () => {
    const { judge, differences } = policyWith(engineThat(ALLOW));
    expect(await judge(toolCall('ghost'))).toMatchObject({ ok: false });
    expect(differences).toEqual([]);
  });
});
