// The policy step as the pipeline sees it, over the compiled default policy.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ok } from '#core/result.ts';
import { DEFAULT_BUNDLE } from '#ext-authz/policy/bundle.ts';
import type { PolicyEngine } from '#ext-authz/policy/engine.ts';
import { createPolicy } from '#ext-authz/policy/judge.ts';
import { ENTRYPOINTS } from '#ext-authz/policy/manifest.ts';
import { createWasmEngine } from '#ext-authz/policy/wasm-engine.ts';
import { loadPolicyModule } from '#runtime/policy/wasm-module.ts';
import { ALICE, grant, listCall, question, tenant, toolCall } from '#test/support/policy-world.ts';

const module = loadPolicyModule(readFileSync(DEFAULT_BUNDLE.replace(/\.json$/, '.wasm')), {
  data: {},
  entrypoints: ENTRYPOINTS,
});
const engine = createWasmEngine({ module, revision: 'default@sha256:0', readsArguments: false });
const policyOver = (current: PolicyEngine) => createPolicy({ holder: { current: () => current } });
const policy = policyOver(engine);

const judge = (changes = {}) => policy.judge(question(changes));
const reason = (changes = {}) => {
  const judged = judge(changes);
  return judged.ok ? 'allowed' : judged.error.reason;
};

describe('createPolicy', () => {
  it('allows what is granted and says by which grant', () => {
    expect(judge()).toEqual({
      ...ok({ obligations: {}, explain: ['grant/engineering-tracker'], lists: [] }),
      revision: 'default@sha256:0',
    });
  });

  it('refuses by name: no access, no such tool, no such grant', () => {
    expect(reason({ tenant: tenant([]) })).toBe('caller_not_granted');
    expect(reason({ call: toolCall('drop_database') })).toBe('tool_unknown');
    expect(reason({ call: toolCall('list_issues') })).toBe('tool_not_granted');
  });

  it('tells the client all scopes a tool needs', () => {
    expect(judge({ call: toolCall('purge') })).toMatchObject({
      error: { reason: 'scope_insufficient', publicFacts: { requiredScopes: ['issues.write', 'tools.use'] } },
    });
  });

  it('tells the client which constraint refused, and nobody the value', () => {
    const judged = judge({ call: toolCall('create_issue', { priority: 'critical-secret' }) });
    expect(judged).toMatchObject({
      error: { reason: 'constraint_violated', publicFacts: { constraint: 'priority-needs-on-call' } },
    });
    expect(JSON.stringify(judged)).not.toContain('critical-secret');
  });

  it('exempts the groups a constraint names', () => {
    const call = toolCall('create_issue', { priority: 'critical' });
    expect(reason({ call, identity: { ...ALICE, groups: ['engineering', 'on-call'] } })).toBe('allowed');
  });

  it('says what a list may show: pinned and granted', () => {
    const world = tenant([grant('g', { tools: ['list_issues', 'ghost'] })]);
    expect(judge({ tenant: world, call: listCall('tools') })).toMatchObject({
      value: { lists: [{ kind: 'tools', visible: { all: false, names: ['list_issues'] } }] },
    });
  });

  it('names pinned tools one by one under a wildcard', () => {
    const world = tenant([grant('g', { tools: ['*'] })]);
    expect(judge({ tenant: world, call: listCall('tools') })).toMatchObject({
      value: { lists: [{ visible: { all: false, names: ['create_issue', 'list_issues', 'purge'] } }] },
    });
  });

  it('shows prompts and resources by name or all, and templates to those who may read everything', () => {
    const some = tenant([grant('g', { prompts: ['triage'], resources: ['tracker://1'] })]);
    const all = tenant([grant('g', { prompts: ['*'], resources: ['*'] })]);
    const shown = (world: typeof some, kind: 'prompts' | 'resources' | 'resourceTemplates') => {
      const judged = judge({ tenant: world, call: listCall(kind) });
      return judged.ok ? judged.value.lists : judged.error;
    };
    expect(shown(some, 'prompts')).toEqual([{ kind: 'prompts', visible: { all: false, names: ['triage'] } }]);
    expect(shown(all, 'prompts')).toEqual([{ kind: 'prompts', visible: { all: true } }]);
    expect(shown(all, 'resources')).toEqual([{ kind: 'resources', visible: { all: true } }]);
    expect(shown(some, 'resourceTemplates')).toEqual([
      { kind: 'resourceTemplates', visible: { all: false, names: [] } },
    ]);
    expect(shown(all, 'resourceTemplates')).toEqual([{ kind: 'resourceTemplates', visible: { all: true } }]);
  });

  it('gives a stream the orders of all four lists, which a resumed one can repeat', () => {
    const { list: _list, method: _method, id: _id, ...rest } = listCall('tools');
    const judged = judge({ call: { ...rest, kind: 'stream' } });
    expect(judged.ok && judged.value.lists.map(({ kind }) => kind)).toEqual([
      'tools',
      'prompts',
      'resources',
      'resourceTemplates',
    ]);
    expect(judged).toMatchObject({
      value: { lists: [{ visible: { names: ['create_issue', 'purge'] } }, {}, {}, {}] },
    });
  });

  it('shows no unpinned tool even if the policy names one', () => {
    const generous: PolicyEngine = {
      ...engine,
      visible: () =>
        ok({
          tools: { all: false, names: ['create_issue', 'drop_database'] },
          prompts: { all: true },
          resources: { all: true },
          resourceTemplates: { all: true },
        }),
    };
    expect(policyOver(generous).judge(question({ call: listCall('tools') }))).toMatchObject({
      value: { lists: [{ visible: { names: ['create_issue'] } }] },
    });
  });

  it('asks one engine for both answers of a list, also when another takes its place in between', () => {
    const other: PolicyEngine = {
      ...engine,
      visible: () => {
        throw new Error('asked the wrong engine');
      },
    };
    const served = [engine, other];
    const swapping = createPolicy({ holder: { current: () => served.shift() ?? other } });
    expect(swapping.judge(question({ call: listCall('tools') })).ok).toBe(true);
  });
});
