// What a policy is asked: lean, complete, and without anything nobody verified.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { buildPolicyInput } from '#ext-authz/policy/input.ts';
import {
  ALICE,
  grant,
  listCall,
  NOW_MS,
  PRIORITY,
  question,
  SERVER,
  tenant,
  toolCall,
} from '#test/support/policy-world.ts';

const input = (changes = {}, withArguments = false) => {
  const built = buildPolicyInput(question(changes), { withArguments });
  if (!built.ok) throw new Error(built.error.reason);
  return built.value;
};

const refusal = (changes = {}, withArguments = false) => {
  const built = buildPolicyInput(question(changes), { withArguments });
  return built.ok ? undefined : built.error.reason;
};

const withLimits = (...constraints: (typeof PRIORITY)[]) => ({ server: { ...SERVER, constraints } });

describe('buildPolicyInput', () => {
  it('asks about a tool call', () => {
    expect(input({ call: toolCall('create_issue', { priority: 'low', title: 'x' }) })).toEqual({
      tenant: 'default',
      identity: {
        issuer: 'https://login.contoso.example/v2.0',
        issuerId: 'contoso',
        relation: 'home',
        subject: 'pairwise-alice',
        tid: 'tid-contoso',
        oid: 'oid-alice',
        kind: 'user',
        app: 'app-cli',
        guest: false,
        groups: ['engineering'],
        roles: [],
        scopes: ['tools.use'],
        assurance: [],
      },
      server: { id: 'tracker', version: '1.0.0', requiredScopes: ['tools.use'] },
      tool: {
        name: 'create_issue',
        tags: [],
        requiredScopes: [],
        constraints: [
          {
            name: 'priority-needs-on-call',
            pointer: '/priority',
            oneOf: ['low', 'medium'],
            exceptGroups: ['on-call'],
          },
        ],
      },
      grants: [
        {
          id: 'engineering-tracker',
          subjects: [{ kind: 'group', id: 'engineering' }],
          tools: ['create_issue', 'purge'],
          prompts: [],
          resources: [],
        },
      ],
      call: {
        kind: 'request',
        method: 'tools/call',
        targets: [{ kind: 'tool', name: 'create_issue' }],
        values: { '/priority': 'low' },
      },
      request: { time: new Date(NOW_MS).toISOString(), ip: '192.0.2.10' },
    });
  });

  it('never sends the name or mail address a token claims', () => {
    expect(JSON.stringify(input())).not.toContain('Alice');
  });

  it('sends the arguments whole only to a policy that reads them', () => {
    const call = toolCall('list_issues', { secret: 'kept here' });
    expect(input({ call })['call']).not.toHaveProperty('arguments');
    expect(input({ call }, true)['call']).toHaveProperty('arguments', { secret: 'kept here' });
  });

  it('names no tool facts for a tool that is not pinned', () => {
    expect(input({ call: toolCall('drop_database') })).not.toHaveProperty('tool');
  });

  it('takes the scopes of the binding whose issuer and audience the token matched', () => {
    const partner = { ...ALICE, issuerId: 'fabrikam' };
    expect(input({ identity: partner })['server']).toHaveProperty('requiredScopes', ['partner.use']);
    const other = { ...ALICE, audience: 'aud-other' };
    expect(input({ identity: other })['server']).toHaveProperty('requiredScopes', ['other.use']);
  });

  it('sends no grant of another server', () => {
    const world = tenant([grant('here'), grant('there', { serverId: 'reports' })]);
    expect(input({ tenant: world })['grants']).toEqual([expect.objectContaining({ id: 'here' })]);
  });

  it('sends of grants only the called names where the policy looks up no others, and all of them for a list', () => {
    const tools = Array.from({ length: 30 }, (_, index) => `tool-${index}`);
    const world = tenant([grant('many', { tools: [...tools, 'create_issue'] }), grant('rest', { tools })]);
    const told = (changes = {}, calledNamesOnly = true) => {
      const asked = question({ tenant: world, ...changes });
      const built = buildPolicyInput(asked, { withArguments: false, calledNamesOnly });
      return built.ok ? (built.value['grants'] as unknown as { tools: string[] }[]) : [];
    };
    expect(told().map((one) => one.tools)).toEqual([['create_issue'], []]);
    expect(told({ call: listCall('tools') }).map((one) => one.tools.length)).toEqual([31, 30]);
    expect(told({}, false).map((one) => one.tools.length)).toEqual([31, 30]);
  });

  it('sends the pinned tools for lists of tools and for streams, which may repeat one', () => {
    expect(input({ call: listCall('tools') })['server']).toHaveProperty('tools.length', 3);
    expect(
      input({ call: { ...listCall('tools'), kind: 'stream', list: undefined } })['server'],
    ).toHaveProperty('tools.length', 3);
    expect(input({ call: listCall('prompts') })['server']).not.toHaveProperty('tools');
  });

  it('leaves out a limit whose argument is absent', () => {
    expect(input({ call: toolCall('create_issue', { title: 'x' }) })['call']).toHaveProperty('values', {});
  });

  it('sends no limit of another tool', () => {
    expect(input({ call: toolCall('list_issues', { priority: 'high' }) })).toMatchObject({
      tool: { constraints: [] },
      call: { values: {} },
    });
  });

  it('keeps no grants of a day gone by for a caller who does not come back', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    // What callers are known by lives as long as their tokens are remembered.
    const identity = { ...ALICE };
    const grantsOfADay = () => {
      const of = tenant([grant('g', { tools: ['*'] })]);
      input({ tenant: of, identity });
      return new WeakRef(of.grants);
    };
    const yesterday = grantsOfADay();
    await expect
      .poll(() => {
        collect();
        return yesterday.deref() === undefined;
      })
      .toBe(true);
    expect(identity.principal).toBe(ALICE.principal);
  });

  it('refuses a number that JSON can write and a double cannot hold, where a limit looks', () => {
    const priority = JSON.parse('1e400');
    expect(refusal({ call: toolCall('create_issue', { priority }) })).toBe('params_invalid');
    expect(refusal({ call: toolCall('create_issue', { priority: [{ deep: priority }] }) })).toBe(
      'params_invalid',
    );
    expect(refusal({ call: toolCall('create_issue', { title: priority }) })).toBeUndefined();
    expect(refusal({ call: toolCall('create_issue', { title: priority }) }, true)).toBe('params_invalid');
  });

  it.each([
    { Priority: 'critical' },
    { priority: 'low', PRIORITY: 'critical' },
    { 'pr\u0131ority': 'critical' },
    { '\uff50riority': 'critical' },
  ])('refuses a limited argument in another spelling, which some servers would read: %j', (callArguments) => {
    expect(refusal({ call: toolCall('create_issue', callArguments) })).toBe('params_invalid');
  });

  it('looks for other spellings at every step of a pointer, and nowhere else', () => {
    const limits = withLimits({ ...PRIORITY, pointer: '/issue/priority' });
    const call = (callArguments: object) => ({
      ...limits,
      call: toolCall('create_issue', callArguments as never),
    });
    expect(refusal(call({ Issue: { priority: 'critical' } }))).toBe('params_invalid');
    expect(refusal(call({ issue: { PRIORITY: 'critical' } }))).toBe('params_invalid');
    expect(refusal(call({ issue: { priority: 'low' }, Labels: {}, labels: {} }))).toBeUndefined();
  });

  it('refuses every call of a tool whose limit points by no JSON Pointer', () => {
    const broken = withLimits({ ...PRIORITY, pointer: 'priority' });
    expect(refusal({ ...broken, call: toolCall('create_issue', {}) })).toBe('policy_failed');
    expect(refusal({ ...broken, call: toolCall('list_issues', {}) })).toBeUndefined();
  });
});
