import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '#core/json.ts';
import type { Tenant } from '#core/tenant.ts';
import { resourcesOf } from '#registry/commands/resources.ts';
import { diffTenants } from '#registry/revisions/tenant-diff.ts';
import { applyChanges } from '#test/support/apply-changes.ts';
import { furnishedTenant, historyArbitrary } from '#test/support/tenant-histories.ts';

const resourcesIn = (tenant: Tenant | null): ReadonlyMap<string, object> =>
  tenant === null ? new Map() : resourcesOf(tenant);

/** The resources of `before` with the difference to `after` applied. */
const applied = (before: Tenant | null, after: Tenant | null): ReadonlyMap<string, unknown> => {
  const resources = new Map<string, unknown>(resourcesIn(before));
  for (const { resource, changes } of diffTenants(before, after)) {
    const value = applyChanges(resources.get(resource) as Json | undefined, changes);
    if (value === undefined) resources.delete(resource);
    else resources.set(resource, value);
  }
  return resources;
};

describe('diffTenants', () => {
  it('applied to one state of a history gives the other, forwards and backwards', () => {
    fc.assert(
      fc.property(historyArbitrary, fc.nat(), fc.nat(), (states, i, j) => {
        const [one = null, other = null] = [states[i % states.length], states[j % states.length]];
        expect(applied(one, other)).toEqual(resourcesIn(other));
      }),
      { numRuns: 150 },
    );
  });

  it('is empty between equal states, whatever their revision', () => {
    expect(diffTenants(furnishedTenant, { ...structuredClone(furnishedTenant), revision: 99 })).toEqual([]);
    expect(diffTenants(null, null)).toEqual([]);
  });

  it('tells the making and the removal of a tenant whole', () => {
    expect(applied(null, furnishedTenant)).toEqual(resourcesOf(furnishedTenant));
    expect(applied(furnishedTenant, null).size).toBe(0);
    const words = new Set(diffTenants(furnishedTenant, null).map(({ change }) => change));
    expect(words).toEqual(new Set(['removed']));
  });

  it('says in one line of JSON what a person would say', () => {
    const grant = {
      id: 'g',
      serverId: 'one',
      subjects: [{ kind: 'group' as const, id: 'a' }],
      tools: ['read'],
      prompts: [],
      resources: [],
    };
    const before = { ...furnishedTenant, grants: [grant] };
    const after = { ...furnishedTenant, grants: [{ ...grant, tools: ['read', 'create'] }] };
    expect(diffTenants(before, after)).toEqual([
      {
        resource: 'grants/g',
        change: 'changed',
        changes: [{ change: 'added', pointer: '/tools/1', after: 'create' }],
      },
    ]);
  });
});
