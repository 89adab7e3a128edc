// What every store must do with the bundles of tenants' policies.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '#registry/store/store.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';
import { record, type StoreUnderTest, writeOf } from '#test/support/store-contract.ts';

const bundle = (digit: string, changes: object = {}) => ({
  digest: digit.repeat(64),
  revision: `r${digit}`,
  size: 3,
  at: '2026-01-01T00:00:00.000Z',
  bytes: new Uint8Array([1, 0, 255]),
  ...changes,
});

export const describeBundles = (name: string, create: () => Promise<StoreUnderTest>) =>
  describe(`policy bundles in the ${name} store`, () => {
    let database: StoreUnderTest;
    let store: Store;

    beforeEach(async () => {
      database = await create();
      store = await database.open();
      for (const id of ['acme', 'beta']) await store.write(writeOf(sampleTenant(id), null));
    });

    afterEach(async () => {
      await store.close();
      await database.remove();
    });

    const keep = (digit: string, changes: object = {}, tenantId = 'acme') =>
      store.keepPolicyBundle({ tenantId, bundle: bundle(digit, changes), record: record(`upload ${digit}`) });

    it('are kept byte for byte, each by its tenant, and listed newest first', async () => {
      await keep('a');
      await keep('b', { signedBy: 'thumbprint', kid: 'release' });
      await keep('c', {}, 'beta');
      const { bytes, ...summary } = bundle('a');
      const found = await store.findPolicyBundle('acme', 'a'.repeat(64));
      expect(found).toMatchObject(summary);
      expect(Buffer.from(bytes).equals(found?.bytes ?? Buffer.alloc(0))).toBe(true);
      expect(await store.findPolicyBundle('acme', 'c'.repeat(64))).toBeUndefined();
      const listed = await store.listPolicyBundles('acme', { limit: 10 });
      expect(listed).toMatchObject([
        { revision: 'rb', signedBy: 'thumbprint', kid: 'release' },
        { revision: 'ra' },
      ]);
      expect(listed[0]).not.toHaveProperty('bytes');
      expect(listed[1]).not.toHaveProperty('signedBy');
      const before = listed[0]?.number ?? 0;
      expect(await store.listPolicyBundles('acme', { limit: 10, before })).toMatchObject([
        { revision: 'ra' },
      ]);
    });

    it('are kept once, as they came first', async () => {
      await keep('a');
      await keep('a', { revision: 'other' });
      expect(await store.listPolicyBundles('acme', { limit: 10 })).toMatchObject([{ revision: 'ra' }]);
    });

    it('stand in the audit when they come and go, and change no tenant', async () => {
      await keep('a');
      const change = { tenantId: 'acme', digest: 'a'.repeat(64), record: record('remove a') };
      expect(await store.forgetPolicyBundle(change)).toMatchObject({ ok: true });
      expect(await store.forgetPolicyBundle(change)).toEqual({ ok: false, error: 'unknown' });
      const audit = await store.listAudit('acme', { limit: 10 });
      expect(audit.map(({ action }) => action)).toEqual(['remove a', 'upload a', 'put tenant']);
      expect((await store.findTenant('acme'))?.tenant.revision).toBe(1);
      expect(await store.findAuditFault()).toBeUndefined();
    });

    it('are not more than a tenant may have', async () => {
      for (let count = 0; count < 400; count += 1)
        await keep('a', { digest: count.toString(16).padStart(64, '0'), bytes: new Uint8Array(1) });
      const sequence = await store.lastSequence();
      expect(await keep('b')).toEqual({ ok: false, error: 'full' });
      expect(await store.lastSequence()).toBe(sequence);
      expect(await keep('b', {}, 'beta')).toMatchObject({ ok: true });
    });
  });
