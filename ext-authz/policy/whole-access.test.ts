// Who may open a WebSocket, over the compiled default policy: only callers to whom no message inside would be refused.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { McpCall } from '#core/mcp-call.ts';
import type { Obligations } from '#core/policy/obligations.ts';
import { ok } from '#core/result.ts';
import { DEFAULT_BUNDLE } from '#ext-authz/policy/bundle.ts';
import type { PolicyEngine } from '#ext-authz/policy/engine.ts';
import { createPolicy } from '#ext-authz/policy/judge.ts';
import { ENTRYPOINTS } from '#ext-authz/policy/manifest.ts';
import { createWasmEngine } from '#ext-authz/policy/wasm-engine.ts';
import { loadPolicyModule } from '#runtime/policy/wasm-module.ts';
import { ALICE, grant, PRIORITY, question, SERVER, tenant } from '#test/support/policy-world.ts';

const module = loadPolicyModule(readFileSync(DEFAULT_BUNDLE.replace(/\.json$/, '.wasm')), {
  data: {},
  entrypoints: ENTRYPOINTS,
});
const policyThat = (readsArguments: boolean) => {
  const engine = createWasmEngine({ module, revision: 'default', readsArguments });
  return createPolicy({ holder: { current: () => engine } });
};

const call: McpCall = {
  kind: 'upgrade',
  era: 'legacy',
  protocolVersion: '2025-11-25',
  targets: [],
  arguments: {},
  params: {},
};
const WHOLE = { tools: ['*'], prompts: ['*'], resources: ['*'] };
const scopes = ['tools.use', 'issues.write'];
const unlimited = { ...SERVER, constraints: [] };

const judge = (changes: Parameters<typeof question>[0] = {}, grants = [grant('whole', WHOLE)]) =>
  policyThat(false).judge(
    question({
      call,
      tenant: tenant(grants),
      server: unlimited,
      identity: { ...ALICE, scopes },
      ...changes,
    }),
  );
const reason = (...asked: Parameters<typeof judge>) => {
  const judged = judge(...asked);
  return judged.ok ? 'allowed' : judged.error.reason;
};

describe('a WebSocket', () => {
  it('is open to whoever may use everything', () => {
    expect(judge()).toMatchObject({ ok: true, value: { lists: [] } });
    const named = grant('named', { ...WHOLE, tools: ['create_issue', 'list_issues', 'purge'] });
    expect(reason({}, [named])).toBe('allowed');
  });

  it('is open to whoever may use everything by several grants together', () => {
    const tools = grant('tools', { ...WHOLE, prompts: [], resources: [] });
    expect(reason({}, [tools, grant('rest', { ...WHOLE, tools: [] })])).toBe('allowed');
  });

  it.each([
    ['a tool', { ...WHOLE, tools: ['create_issue', 'list_issues'] }],
    ['prompts', { ...WHOLE, prompts: ['triage'] }],
    ['resources', { ...WHOLE, resources: ['tracker://issues/1'] }],
  ])('is closed where %s would be refused inside', (_, changes) => {
    expect(reason({}, [grant('part', changes)])).toBe('websocket_needs_full_access');
  });

  it('is closed to whoever has nothing, in the words of any call', () => {
    expect(reason({}, [])).toBe('caller_not_granted');
  });

  it('asks for the scopes a tool inside needs', () => {
    expect(judge({ identity: ALICE })).toMatchObject({
      error: { reason: 'scope_insufficient', publicFacts: { requiredScopes: ['issues.write', 'tools.use'] } },
    });
  });

  it.each([
    PRIORITY,
    { ...PRIORITY, oneOf: [{}, [], null] },
    { name: 'n', tool: 'purge', pointer: '/a/b', maximum: 1e9, exceptGroups: [] },
    { name: 'n', tool: 'purge', pointer: '', prefix: '', exceptGroups: [] },
  ])('is closed to whoever a limit on arguments binds (%#)', (limit) => {
    expect(reason({ server: { ...SERVER, constraints: [limit] } })).toBe('websocket_needs_full_access');
  });

  it('is open to whom the limit excepts, and a limit on a tool that is not pinned binds nobody', () => {
    const identity = { ...ALICE, scopes, groups: ['engineering', 'on-call'] };
    expect(reason({ server: SERVER, identity })).toBe('allowed');
    expect(reason({ server: { ...SERVER, constraints: [{ ...PRIORITY, tool: 'ghost' }] } })).toBe('allowed');
  });

  it.each<[string, Obligations]>([
    ['needs a person to approve each call', { approval: ['rule'] }],
    ['has its answers redacted', { redact: ['/mail'] }],
    ['has its answers capped', { maxResponseBytes: 1024 }],
  ])('is closed where a tool inside %s', (_title, obligations) => {
    const engine = createWasmEngine({ module, revision: 'default', readsArguments: false });
    const holding = (name: string): PolicyEngine => ({
      ...engine,
      evaluate: (input) => {
        const answer = engine.evaluate(input);
        const isAsked = JSON.stringify(input['tool'] ?? null).includes(`"name":"${name}"`);
        return answer.ok && answer.value.allow && isAsked ? ok({ ...answer.value, obligations }) : answer;
      },
    });
    const asked = question({
      call,
      tenant: tenant([grant('whole', WHOLE)]),
      server: unlimited,
      identity: { ...ALICE, scopes },
    });
    const judgeBy = (name: string) => createPolicy({ holder: { current: () => holding(name) } }).judge(asked);
    expect(judgeBy('purge')).toMatchObject({ error: { reason: 'websocket_needs_full_access' } });
    expect(judgeBy('no such tool').ok).toBe(true);
  });

  it('is closed where a policy reads arguments, since nobody can show it any', () => {
    const asked = question({ call, tenant: tenant([grant('whole', WHOLE)]), server: unlimited });
    expect(policyThat(true).judge(asked)).toMatchObject({ error: { reason: 'websocket_needs_full_access' } });
  });
});
