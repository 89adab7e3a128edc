import type { Static } from 'typebox';
import { describe, expect, it } from 'vitest';
import type { Grant } from '#core/grant.ts';
import type { TrustedIssuer } from '#core/issuer.ts';
import type { Publisher } from '#core/publisher.ts';
import type { McpServer } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import type { GrantSchema } from '#registry/feed/schema/grant-schema.ts';
import type { IssuerSchema } from '#registry/feed/schema/issuer-schema.ts';
import {
  parseFeedEvent,
  parseSnapshot,
  parseTenantChange,
  tenantIdOf,
} from '#registry/feed/schema/parse-message.ts';
import type { PublisherSchema } from '#registry/feed/schema/publisher-schema.ts';
import type { ServerSchema } from '#registry/feed/schema/server-schema.ts';
import type { TenantSchema } from '#registry/feed/schema/tenant-schema.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

// The schemas and core's types say the same; the compiler proves it in both directions.
type Matches<SchemaForm, CoreForm> = [SchemaForm] extends [CoreForm]
  ? [Readonly<CoreForm>] extends [DeepReadonly<SchemaForm>]
    ? true
    : false
  : false;
type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;
const sameShapes: [
  Matches<Static<typeof IssuerSchema>, TrustedIssuer>,
  Matches<Static<typeof GrantSchema>, Grant>,
  Matches<Static<typeof ServerSchema>, McpServer>,
  Matches<Static<typeof PublisherSchema>, Publisher>,
  Matches<Static<typeof TenantSchema>, Tenant>,
] = [true, true, true, true, true];

const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const upsert = (tenant: unknown) => bytes({ kind: 'upsert', sequence: 7, tenant });

describe('parseTenantChange', () => {
  it('reads back what the registry wrote', () => {
    const tenant = sampleTenant('acme');
    expect(parseTenantChange(upsert(tenant))).toEqual({
      ok: true,
      value: { kind: 'upsert', sequence: 7, tenant },
    });
    expect(sameShapes).toHaveLength(5);
  });

  it('reads a removal', () => {
    const removal = { kind: 'remove', sequence: 8, tenantId: 'acme' };
    expect(parseTenantChange(bytes(removal))).toEqual({ ok: true, value: removal });
  });

  it('completes a tenant that was written before publishers existed: nobody may publish', () => {
    const { publishers: _publishers, ...older } = sampleTenant('acme');
    expect(parseTenantChange(upsert(older))).toMatchObject({
      ok: true,
      value: { tenant: { ...older, publishers: [] } },
    });
    expect(parseSnapshot({ sequence: 7, tenants: [older] })).toMatchObject({
      ok: true,
      value: { sequence: 7, tenants: [{ ...older, publishers: [] }] },
    });
  });

  it('reads a tenant that was written before kill switches existed: none is thrown', () => {
    const { killSwitches: _killSwitches, ...older } = sampleTenant('acme');
    expect(parseTenantChange(upsert(older))).toMatchObject({
      ok: true,
      value: { tenant: { ...older, killSwitches: [] } },
    });
  });

  it('refuses a kill switch of a kind it does not know, because it stops somebody', () => {
    const killSwitches = [{ id: 's', target: { kind: 'group', id: 'contractors' } }];
    expect(parseTenantChange(upsert({ ...sampleTenant('acme'), killSwitches }))).toEqual({
      ok: false,
      error: expect.stringContaining('/tenant/killSwitches/0/target'),
    });
  });

  it("refuses a private key among a publisher's", () => {
    const [publisher] = sampleTenant('acme').publishers;
    const [key] = publisher?.keys ?? [];
    const spoiled = { ...publisher, keys: [{ ...key, jwk: { ...key?.jwk, d: 'AAAA' } }] };
    expect(parseTenantChange(upsert({ ...sampleTenant('acme'), publishers: [spoiled] }))).toEqual({
      ok: false,
      error: expect.stringContaining('/tenant/publishers/0/keys/0/jwk'),
    });
  });

  it('refuses a field it does not know, because it may be a restriction', () => {
    const tenant = { ...sampleTenant('acme'), quarantined: true };
    expect(parseTenantChange(upsert(tenant))).toMatchObject({ ok: false });
  });

  it.each([
    ['no JSON', Buffer.from('{"kind":')],
    ['a missing field', upsert({ id: 'acme' })],
    ['a wrong type', upsert({ ...sampleTenant('acme'), servers: 'none' })],
    ['an unknown kind', bytes({ kind: 'merge', sequence: 1, tenant: sampleTenant('acme') })],
    ['a foreign prototype key', Buffer.from('{"__proto__":{"kind":"upsert"}}')],
  ])('refuses %s', (_name, message) => {
    expect(parseTenantChange(message).ok).toBe(false);
  });

  it('still names the tenant of a change it cannot read', () => {
    expect(tenantIdOf(upsert({ id: 'acme', servers: 'none' }))).toBe('acme');
    expect(tenantIdOf(bytes({ kind: 'remove', tenantId: 'gone' }))).toBe('gone');
    expect(tenantIdOf(Buffer.from('garbage'))).toBeUndefined();
  });
});

describe('parseFeedEvent', () => {
  const event = {
    kind: 'terminate-streams',
    id: 'e1',
    tenantId: 'acme',
    reason: 'leaked key',
    actor: 'ada',
    at: '2026-01-01T00:00:00.000Z',
  };

  it('reads an event', () => {
    expect(parseFeedEvent(bytes(event))).toEqual({ ok: true, value: event });
  });

  it.each([
    { kind: 'look-at-users', oids: ['44444444-4444-4444-8444-444444444444'] },
    { kind: 'renew-subscription' },
    { kind: 'sweep-now' },
  ])('reads the hint $kind', (hint) => {
    const { reason: _reason, actor: _actor, ...words } = event;
    const whole = { ...words, issuerId: 'entra', tid: '11111111-1111-4111-8111-111111111111', ...hint };
    expect(parseFeedEvent(bytes(whole))).toEqual({ ok: true, value: whole });
    expect(parseFeedEvent(bytes({ ...whole, tid: '../common' })).ok).toBe(false);
  });

  it('refuses an event whose scope it cannot read, rather than ending every stream', () => {
    expect(parseFeedEvent(bytes({ ...event, serverId: 5 })).ok).toBe(false);
    expect(parseFeedEvent(bytes({ ...event, tool: 'x' })).ok).toBe(false);
  });
});

describe('parseSnapshot', () => {
  it('reads a snapshot', () => {
    const snapshot = { sequence: 3, tenants: [sampleTenant('acme'), sampleTenant('beta')] };
    expect(parseSnapshot(snapshot)).toEqual({ ok: true, value: snapshot });
  });

  it('refuses tenants out of order or twice', () => {
    const [a, b] = [sampleTenant('acme'), sampleTenant('beta')];
    expect(parseSnapshot({ sequence: 3, tenants: [b, a] }).ok).toBe(false);
    expect(parseSnapshot({ sequence: 3, tenants: [a, a] }).ok).toBe(false);
  });
});
