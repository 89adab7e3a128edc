// Resources as they travel: each is judged alone, by its name, and nothing unknown passes.

import { describe, expect, it } from 'vitest';
import { resourcesOf } from '#registry/commands/resources.ts';
import { parseTenantChange, tenantIdOf } from '#registry/feed/schema/parse-message.ts';
import { findExcess, judgeResource } from '#registry/feed/schema/parse-patch.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

const TENANT = {
  ...sampleTenant('acme'),
  adminIssuer: {
    issuer: 'https://a.example',
    jwksUri: 'https://a.example/k',
    audience: 'a',
    rolesClaim: 'roles',
  },
};
const resources = [...resourcesOf(TENANT)].map(([name, body]) => ({ name, body }));

describe('a patch', () => {
  const patch = { kind: 'patch', sequence: 7, tenantId: 'acme', revision: 2, resources };

  it('is read back as the registry wrote it', () => {
    expect(parseTenantChange(bytes(patch))).toEqual({ ok: true, value: patch });
    expect(tenantIdOf(bytes(patch))).toBe('acme');
  });

  it.each([
    ['a field it does not know', { ...patch, urgent: true }],
    ['a resource without a body', { ...patch, resources: [{ name: 'tenant' }] }],
    ['a body that is no object', { ...patch, resources: [{ name: 'tenant', body: 'x' }] }],
    ['no revision', { ...patch, revision: undefined }],
  ])('is refused for %s', (_why, message) => {
    expect(parseTenantChange(bytes(message)).ok).toBe(false);
  });
});

describe('a resource', () => {
  it.each(resources)('called $name is accepted as it is stored', (resource) => {
    expect(judgeResource(resource)).toEqual({ ok: true, value: resource });
    expect(judgeResource({ name: resource.name, body: null }).ok).toBe(true);
  });

  it.each(resources)('called $name is refused with a field nobody knows', ({ name, body }) => {
    const judged = judgeResource({ name, body: { ...body, quarantined: true } });
    expect(judged).toMatchObject({ ok: false, error: expect.stringContaining(name) });
  });

  it.each([
    'grant/engineering',
    'grants',
    'grants/engineering/more',
    'servers/tracker/version/1.0.0',
    'servers/tracker/versions',
    '__proto__',
    'admin-issuer/x',
    '',
  ])('called %j is refused: nothing is named so', (name) => {
    expect(judgeResource({ name, body: {} })).toEqual({ ok: false, error: name });
    expect(judgeResource({ name, body: null })).toEqual({ ok: false, error: name });
  });

  it('is refused under the name of another', () => {
    const [grant] = TENANT.grants;
    expect(judgeResource({ name: 'grants/other', body: grant ?? null })).toEqual({
      ok: false,
      error: 'grants/other',
    });
  });
});

it('more of a kind than a tenant may have is told by the name of the list', () => {
  expect(findExcess(TENANT)).toBeUndefined();
  const [publisher] = TENANT.publishers;
  if (publisher === undefined) throw new Error('the sample has one');
  expect(findExcess({ ...TENANT, publishers: Array.from({ length: 201 }, () => publisher) })).toBe(
    'publishers',
  );
});
