// A tenant taken apart and put together again is the same tenant, and what did not change is the same object.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSameJson } from '#core/same-json.ts';
import type { Tenant } from '#core/tenant.ts';
import { changedResources } from '#registry/commands/changed-resources.ts';
import { resourcesOf } from '#registry/commands/resources.ts';
import { applyResources, type ResourceState } from '#registry/feed/apply-resources.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';
import { historyArbitrary } from '#test/support/tenant-histories.ts';

const wholeStates = (tenant: Tenant): readonly ResourceState[] =>
  [...resourcesOf(tenant)].map(([name, body]) => ({ name, body }));

const changedStates = (before: Tenant, after: Tenant): readonly ResourceState[] =>
  changedResources(before, after).map((changed) => ({ name: changed.name, body: changed.after ?? null }));

const assemble = (base: Tenant | undefined, tenant: Tenant, states: readonly ResourceState[]): Tenant => {
  const applied = applyResources(base, { id: tenant.id, revision: tenant.revision }, states);
  if (!applied.ok) throw new Error(applied.error);
  return applied.value;
};

const lastOf = (states: readonly Tenant[]): Tenant => states.at(-1) ?? sampleTenant('acme');

describe('resources of a tenant', () => {
  it('make that tenant again, in whatever order they come', () => {
    const shuffled = historyArbitrary
      .map(lastOf)
      .chain((tenant) =>
        fc.tuple(
          fc.constant(tenant),
          fc.shuffledSubarray([...wholeStates(tenant)], { minLength: resourcesOf(tenant).size }),
        ),
      );
    fc.assert(
      fc.property(shuffled, ([tenant, states]) => {
        expect(assemble(undefined, tenant, states)).toEqual(tenant);
      }),
    );
  });

  it('that changed bring any former state forward, in one step or in many', () => {
    fc.assert(
      fc.property(historyArbitrary, (history) => {
        const [first = sampleTenant('acme')] = history;
        const last = lastOf(history);
        expect(assemble(first, last, changedStates(first, last))).toEqual(last);
        const stepwise = history.reduce((copy, next) => assemble(copy, next, changedStates(copy, next)));
        expect(stepwise).toEqual(last);
      }),
    );
  });

  it('that changed are those that differ, and no others', () => {
    fc.assert(
      fc.property(historyArbitrary, (history) => {
        const [before = sampleTenant('acme')] = history;
        const [old, current] = [resourcesOf(before), resourcesOf(lastOf(history))];
        const differing = [...new Set([...old.keys(), ...current.keys()])].filter(
          (name) => !isSameJson(old.get(name), current.get(name)),
        );
        const changed = changedResources(before, lastOf(history));
        expect(changed.map(({ name }) => name).toSorted()).toEqual(differing.toSorted());
        for (const { name, before: was, after } of changed) {
          expect(was).toEqual(old.get(name));
          expect(after).toEqual(current.get(name));
        }
      }),
    );
  });

  it('of which there is one or none come, change and go', () => {
    const adminIssuer = {
      issuer: 'https://a.example',
      jwksUri: 'https://a.example/k',
      audience: 'a',
      rolesClaim: 'r',
    };
    const bare = sampleTenant('acme');
    const states = [
      bare,
      { ...bare, adminIssuer },
      { ...bare, adminIssuer: { ...adminIssuer, audience: 'b' } },
      bare,
    ];
    for (const after of states)
      for (const before of states)
        expect(assemble(before, after, changedStates(before, after))).toEqual(after);
  });

  it('leave what they are not about the same objects', () => {
    const before = sampleTenant('acme');
    const [grant] = before.grants;
    if (grant === undefined) throw new Error('the sample has one');
    const after = assemble(before, { ...before, revision: 2 }, [
      { name: 'grants/second', body: { ...grant, id: 'second' } },
    ]);
    expect(after).toMatchObject({ revision: 2, grants: [{ id: 'engineering' }, { id: 'second' }] });
    expect(after.servers).toBe(before.servers);
    expect(after.issuers).toBe(before.issuers);
    expect(after.grants[0]).toBe(grant);
  });

  it('keep the versions of a server that is otherwise changed the same objects', () => {
    const before = sampleTenant('acme');
    const [server] = before.servers;
    if (server === undefined) throw new Error('the sample has one');
    const after = assemble(
      before,
      before,
      changedStates(before, { ...before, servers: [{ ...server, enabled: false }] }),
    );
    expect(after.servers[0]).toMatchObject({ enabled: false });
    expect(after.servers[0]?.versions[0]).toBe(server.versions[0]);
  });

  it.each([
    ['tenant', (name: string) => name !== 'tenant'],
    ['servers/tracker', (name: string) => !name.includes('/versions/')],
    ['servers/tracker', (name: string) => name !== 'servers/tracker'],
  ])('make none where %s is not whole', (missing, keep) => {
    const tenant = sampleTenant('acme');
    const states = wholeStates(tenant).filter(({ name }) => keep(name));
    expect(applyResources(undefined, { id: 'acme', revision: 1 }, states)).toEqual({
      ok: false,
      error: missing,
    });
  });
});
