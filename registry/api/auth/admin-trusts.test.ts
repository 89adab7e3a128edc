import { describe, expect, it } from 'vitest';
import type { AdminIssuer } from '#core/admin-issuer.ts';
import { createAdminIssuers } from '#registry/api/auth/admin-issuers.ts';
import { createAdminTrusts } from '#registry/api/auth/admin-trusts.ts';
import type { FeedItem } from '#registry/feed/feed-source.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

const PLATFORM = { issuer: 'https://login.example.com', audience: 'registry' };

const adminIssuer = (changes: Partial<AdminIssuer> = {}): AdminIssuer => ({
  issuer: 'https://login.example.com',
  jwksUri: 'https://login.example.com/keys',
  audience: 'acme',
  rolesClaim: 'roles',
  ...changes,
});

const upsert = (id: string, given?: AdminIssuer): FeedItem => ({
  kind: 'change',
  sequence: 1,
  change: {
    kind: 'upsert',
    sequence: 1,
    tenant: { ...sampleTenant(id), ...(given === undefined ? {} : { adminIssuer: given }) },
  },
});

/** A source of one item a commit, that counts its reads and can be down. */
const startSource = () => {
  const items: FeedItem[] = [];
  const state = { isDown: false, reads: 0, looks: 0 };
  return {
    state,
    commit: (item: FeedItem) => items.push(item),
    source: {
      lastSequence: async () => {
        state.looks += 1;
        if (state.isDown) throw new Error('down');
        return items.length;
      },
      readAfter: async (sequence: number) => {
        state.reads += 1;
        const [item] = items.slice(sequence);
        return {
          items: item === undefined ? [] : [item],
          upTo: Math.min(sequence + 1, items.length),
          more: sequence + 1 < items.length,
        };
      },
    },
  };
};

const start = () => {
  const { source, ...world } = startSource();
  const stopped: string[] = [];
  const made: string[] = [];
  const trusts = createAdminTrusts({
    platform: { ...PLATFORM, getKey: async () => new Uint8Array() },
    tenants: createAdminIssuers(source),
    createKeys: ({ jwksUri }) => {
      made.push(jwksUri);
      return { getKey: async () => new Uint8Array(), stop: () => stopped.push(jwksUri) };
    },
  });
  const find = (...audiences: string[]) => trusts.find({ issuer: PLATFORM.issuer, audiences });
  return { ...world, trusts, find, made, stopped };
};

const rolesIn = (found: Awaited<ReturnType<ReturnType<typeof start>['find']>>, roles: string[]) =>
  typeof found === 'object' ? [...found.rolesOf(roles)] : found;

describe('the trust of a token', () => {
  it('is the platform first, then one tenant, else none', async () => {
    const { commit, find } = start();
    commit(upsert('acme', adminIssuer()));
    const claimed = ['admin', 'auditor:acme', 'operator:beta', 'platform-admin'];
    expect(rolesIn(await find('registry'), claimed)).toEqual(claimed);
    expect(rolesIn(await find('registry', 'acme'), claimed)).toEqual(claimed);
    expect(rolesIn(await find('acme'), claimed)).toEqual(['admin:acme', 'auditor:acme']);
    expect(await find('beta')).toBeUndefined();
    expect(await find()).toBeUndefined();
  });

  it('is none where two tenants won the same one in a race', async () => {
    const { commit, find } = start();
    commit(upsert('acme', adminIssuer()));
    commit(upsert('beta', adminIssuer()));
    expect(await find('acme')).toBe('ambiguous');
    commit(upsert('beta'));
    expect(rolesIn(await find('acme'), ['admin'])).toEqual(['admin:acme']);
  });

  it('is read again only where something was committed', async () => {
    const { commit, find, state } = start();
    commit(upsert('acme', adminIssuer()));
    await Promise.all([find('acme'), find('acme'), find('acme')]);
    expect([state.looks, state.reads]).toEqual([1, 1]);
    await find('registry');
    commit({ kind: 'change', sequence: 2, change: { kind: 'remove', sequence: 2, tenantId: 'acme' } });
    expect(await find('acme')).toBeUndefined();
    expect(state.reads).toBe(2);
  });

  it('is not guessed while the store is down, and found again after', async () => {
    const { commit, find, state } = start();
    commit(upsert('acme', adminIssuer()));
    await find('acme');
    state.isDown = true;
    await expect(find('acme')).rejects.toThrow('down');
    expect(rolesIn(await find('registry'), ['platform-admin'])).toEqual(['platform-admin']);
    state.isDown = false;
    expect(rolesIn(await find('acme'), ['admin'])).toEqual(['admin:acme']);
  });

  it('keeps keys by address as long as a tenant names it', async () => {
    const { commit, find, made, stopped, trusts } = start();
    commit(upsert('acme', adminIssuer()));
    commit(upsert('beta', adminIssuer({ audience: 'beta' })));
    await find('acme');
    await find('beta');
    expect(made).toEqual(['https://login.example.com/keys']);
    commit(upsert('acme', adminIssuer({ jwksUri: 'https://login.example.com/next' })));
    await find('acme');
    expect([made.length, stopped]).toEqual([2, []]);
    commit(upsert('beta'));
    await find('acme');
    expect(stopped).toEqual(['https://login.example.com/keys']);
    trusts.stop();
    expect(stopped).toHaveLength(2);
  });
});
