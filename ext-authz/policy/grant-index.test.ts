// The index narrows and never decides: it may offer a grant too many, never one too few.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SUBJECT_KINDS } from '#core/grant.ts';
import { findGrants } from '#ext-authz/policy/grant-index.ts';
import { ALICE, grant, tenant } from '#test/support/policy-world.ts';

describe('findGrants', () => {
  it('offers grants of the server that bear an id of the caller, with those subjects only', () => {
    const world = tenant([
      grant('by-group'),
      grant('by-user', {
        subjects: [
          { kind: 'user', id: 'oid-alice' },
          { kind: 'user', id: 'oid-bob' },
        ],
      }),
      grant('of-others', { subjects: [{ kind: 'group', id: 'support' }] }),
      grant('elsewhere', { serverId: 'reports' }),
    ]);
    const found = findGrants(world, 'tracker', ALICE);
    expect(found.map(({ id }) => id)).toEqual(['by-group', 'by-user']);
    expect(found[1]?.subjects).toEqual([{ kind: 'user', id: 'oid-alice' }]);
  });

  it('offers a grant once, however many of its subjects mean the caller', () => {
    const subjects = [
      { kind: 'group', id: 'engineering' },
      { kind: 'user', id: 'oid-alice' },
    ] as const;
    expect(findGrants(tenant([grant('g', { subjects })]), 'tracker', ALICE)).toHaveLength(1);
  });

  it('knows nothing of a tenant whose grants were replaced', () => {
    expect(findGrants(tenant([grant('g')]), 'tracker', ALICE)).toHaveLength(1);
    expect(findGrants(tenant([]), 'tracker', ALICE)).toEqual([]);
  });

  it('offers every grant with a subject that could mean the caller', () => {
    const id = fc.constantFrom('engineering', 'role-a', 'oid-alice', 'pairwise-alice', 'app-cli', 'x', 'y');
    const subject = fc.record({ kind: fc.constantFrom(...SUBJECT_KINDS), id });
    const caller = { ...ALICE, roles: ['role-a'] };
    const own = ['engineering', 'role-a', 'oid-alice', 'pairwise-alice', 'app-cli'];
    fc.assert(
      fc.property(fc.array(fc.array(subject)), (subjects) => {
        const grants = subjects.map((list, index) => grant(`g${index}`, { subjects: list }));
        const wanted = grants.filter((each) => each.subjects.some((one) => own.includes(one.id)));
        const found = findGrants(tenant(grants), 'tracker', caller);
        expect(found.map((each) => each.id).sort()).toEqual(wanted.map((each) => each.id).sort());
      }),
    );
  });
});
