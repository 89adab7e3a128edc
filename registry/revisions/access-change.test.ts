import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Grant, GrantSubject } from '#core/grant.ts';
import { findVersion } from '#core/server.ts';
import { findIssuer, findServer, type Tenant } from '#core/tenant.ts';
import { type AccessEntry, accessChange } from '#registry/revisions/access-change.ts';
import { reviewAccess } from '#registry/revisions/access-review.ts';
import { cpuTimeOf } from '#test/support/cpu-time.ts';
import { furnishedTenant, historyArbitrary } from '#test/support/tenant-histories.ts';

const grant = (changes: Partial<Grant> = {}): Grant => ({
  id: 'g',
  serverId: 'one',
  subjects: [{ kind: 'group', id: 'a' }],
  tools: ['read'],
  prompts: [],
  resources: [],
  ...changes,
});

const having = (...grants: readonly Grant[]): Tenant => ({ ...furnishedTenant, grants });

const serving = (tenant: Tenant, version: string): Tenant => ({
  ...tenant,
  servers: tenant.servers.map((server) => ({ ...server, activeVersion: version })),
});

const group = (issuerId: string, callers: string, id = 'a') => ({ kind: 'group', id, issuerId, callers });

const entry = (subjects: readonly object[], changes: Partial<AccessEntry>) => ({
  serverId: 'one',
  subjects,
  tools: [],
  laterTools: [],
  prompts: [],
  resources: [],
  ...changes,
});

const OWN = [group('home', 'members')];

describe('accessChange', () => {
  it.each<[string, Tenant, Tenant, readonly object[]]>([
    ['a grant that is added', having(), having(grant()), [entry(OWN, { tools: ['read'] })]],
    [
      'a tool more',
      having(grant()),
      having(grant({ tools: ['create', 'read'] })),
      [entry(OWN, { tools: ['create'] })],
    ],
    [
      'every tool instead of some',
      having(grant({ tools: ['read', 'create'] })),
      having(grant({ tools: ['*'] })),
      [entry(OWN, { laterTools: ['*'] })],
    ],
    [
      'a tool that no served version has',
      having(grant()),
      having(grant({ tools: ['read', 'remove'] })),
      [entry(OWN, { laterTools: ['remove'] })],
    ],
    [
      'guests, where a subject names its home issuer',
      having(grant()),
      having(grant({ subjects: [{ kind: 'group', id: 'a', issuerId: 'home' }] })),
      [entry([group('home', 'guests')], { tools: ['read'] })],
    ],
    [
      'a partner',
      having(grant()),
      having(grant({ subjects: [...grant().subjects, { kind: 'group', id: 'a', issuerId: 'partner' }] })),
      [entry([group('partner', 'partners')], { tools: ['read'] })],
    ],
    [
      'prompts and resources',
      having(grant({ prompts: ['p'] })),
      having(grant({ prompts: ['*'], resources: ['r'] })),
      [entry(OWN, { prompts: ['*'], resources: ['r'] })],
    ],
  ])('lists %s, and nothing lost by it', (_name, before, after, gained) => {
    expect(accessChange(before, after)).toEqual({ gained, lost: [] });
    expect(accessChange(after, before)).toEqual({ gained: [], lost: gained });
  });

  it('lists the tools that come and go with another version', () => {
    const all = having(grant({ tools: ['*'] }));
    expect(accessChange(all, serving(all, '2'))).toEqual({
      gained: [entry(OWN, { tools: ['remove'] })],
      lost: [entry(OWN, { tools: ['create'] })],
    });
    const waiting = having(grant({ tools: ['remove'] }));
    expect(accessChange(waiting, serving(waiting, '2')).gained).toEqual([entry(OWN, { tools: ['remove'] })]);
  });

  it('lists callers who gain the same together, and servers apart', () => {
    const subjects: GrantSubject[] = [
      { kind: 'group', id: 'b' },
      { kind: 'group', id: 'a' },
    ];
    const { gained } = accessChange(
      having(),
      having(grant({ subjects }), grant({ id: 'h', serverId: 'two', subjects })),
    );
    const both = [group('home', 'members', 'a'), group('home', 'members', 'b')];
    expect(gained).toEqual([
      entry(both, { tools: ['read'] }),
      { ...entry(both, { tools: ['read'] }), serverId: 'two' },
    ]);
  });

  it('finds nothing where a right only moves to another grant', () => {
    const moved = having(grant({ id: 'other' }), grant({ tools: ['create'] }));
    expect(accessChange(having(grant({ tools: ['create', 'read'] })), moved)).toEqual({
      gained: [],
      lost: [],
    });
  });

  it('counts a right that waits for a switch', () => {
    const off = {
      ...furnishedTenant,
      servers: furnishedTenant.servers.map((server) => ({ ...server, enabled: false })),
      issuers: furnishedTenant.issuers.map((issuer) => ({ ...issuer, enabled: false })),
    };
    expect(accessChange(off, { ...off, grants: [grant()] }).gained).toEqual([
      entry(OWN, { tools: ['read'] }),
    ]);
  });

  it('counts neither the throw nor the release of a kill switch: rights stay what they are', () => {
    const thrown = (kind: 'tenant' | 'principal'): Tenant => {
      const target = kind === 'tenant' ? { kind } : { kind, id: 'a' };
      return { ...having(grant()), killSwitches: [{ id: 's', target }] };
    };
    for (const before of [thrown('tenant'), thrown('principal')]) {
      expect(reviewAccess(before, having(grant()))).toEqual({ gained: [], lost: [], loosened: [] });
      expect(reviewAccess(having(grant()), before)).toEqual({ gained: [], lost: [], loosened: [] });
    }
  });

  it('sees a binding and a relation through which a grant begins to reach', () => {
    const partners = grant({ subjects: [{ kind: 'group', id: 'a', issuerId: 'partner' }] });
    const [one, two] = furnishedTenant.servers;
    if (one === undefined || two === undefined) throw new Error('the sample has two');
    const unbound = { ...having(partners), servers: [{ ...one, bindings: one.bindings.slice(0, 1) }, two] };
    expect(accessChange(unbound, having(partners)).gained).toEqual([
      entry([group('partner', 'partners')], { tools: ['read'] }),
    ]);
    const adopted = {
      ...having(grant()),
      issuers: furnishedTenant.issuers.map((issuer) => ({ ...issuer, relation: 'home' as const })),
    };
    expect(accessChange(having(grant()), adopted).gained).toEqual([
      entry([group('partner', 'members')], { tools: ['read'] }),
    ]);
  });

  it('is done in no time for a tenant of thousands', () => {
    const subjects = Array.from(
      { length: 300 },
      (_, n): GrantSubject => ({ kind: 'group', id: `group-${n}` }),
    );
    const grants = Array.from({ length: 300 }, (_, n) =>
      grant({ id: `g${n}`, tools: [`tool-${n}`], subjects }),
    );
    const compare = () => accessChange(having(), having(...grants));
    expect(cpuTimeOf(compare)).toBeLessThan(3_000);
    const { gained } = compare();
    expect(gained).toHaveLength(1);
    expect(gained[0]?.subjects).toHaveLength(300);
  });
});

/** Whether this caller may use the tool, asked the way the policy asks (policies/mcp/authz/grant.rego). */
const permits = (tenant: Tenant, serverId: string, caller: Caller, tool: string): boolean => {
  const server = findServer(tenant, serverId);
  const issuer = findIssuer(tenant, caller.issuerId);
  if (server === undefined || issuer === undefined) return false;
  if (!server.bindings.some(({ issuerId }) => issuerId === issuer.id)) return false;
  if (!findVersion(server, server.activeVersion)?.tools.some(({ name }) => name === tool)) return false;
  const isMember = issuer.relation === 'home' && !caller.guest;
  return tenant.grants.some(
    (one) =>
      one.serverId === serverId &&
      (one.tools.includes('*') || one.tools.includes(tool)) &&
      one.subjects.some(
        ({ kind, id, issuerId }) =>
          kind === caller.kind &&
          id === caller.id &&
          (issuerId === undefined ? isMember : issuerId === issuer.id),
      ),
  );
};

type Caller = { kind: 'group' | 'user'; id: string; issuerId: string; guest: boolean };

const CALLERS: readonly Caller[] = ['group', 'user'].flatMap((kind) =>
  ['a', 'b'].flatMap((id) =>
    ['home', 'partner'].flatMap((issuerId) =>
      [false, true].map((guest) => ({ kind: kind as 'group' | 'user', id, issuerId, guest })),
    ),
  ),
);

const isListed = (entries: readonly AccessEntry[], serverId: string, caller: Caller, tool: string): boolean =>
  entries.some(
    (one) =>
      one.serverId === serverId &&
      one.tools.includes(tool) &&
      one.subjects.some(
        ({ kind, id, issuerId, callers }) =>
          kind === caller.kind &&
          id === caller.id &&
          issuerId === caller.issuerId &&
          (callers === 'partners' || callers === (caller.guest ? 'guests' : 'members')),
      ),
  );

const QUESTIONS = ['one', 'two'].flatMap((serverId) =>
  CALLERS.flatMap((caller) => ['create', 'read', 'remove'].map((tool) => ({ serverId, caller, tool }))),
);

const check = (before: Tenant, after: Tenant): void => {
  const { gained, lost } = accessChange(before, after);
  for (const { serverId, caller, tool } of QUESTIONS) {
    const was = permits(before, serverId, caller, tool);
    const is = permits(after, serverId, caller, tool);
    expect(isListed(gained, serverId, caller, tool)).toBe(is && !was);
    expect(isListed(lost, serverId, caller, tool)).toBe(was && !is);
  }
};

describe('the access of any two states', () => {
  it('differs for a caller and a tool exactly where the list says so', () => {
    fc.assert(
      fc.property(historyArbitrary, fc.nat(), fc.nat(), (states, i, j) => {
        const [one, other] = [states[i % states.length], states[j % states.length]];
        if (one !== undefined && other !== undefined) check(one, other);
      }),
      { numRuns: 150 },
    );
  });
});
