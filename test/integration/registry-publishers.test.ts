// Publishers over real HTTP: a tenant's resource like the others, and no place for a private key.

import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, startTestRegistry, type TestRegistry } from '#test/integration/registry-harness.ts';

let registry: TestRegistry;
let tenant = '';
let count = 0;

beforeAll(async () => {
  registry = await startTestRegistry();
});

afterAll(() => registry.stop());

beforeEach(async () => {
  tenant = `tenant-${++count}`;
  await call('PUT', '', { displayName: 'Acme', accessContact: '' });
});

const call = (method: string, path: string, body?: unknown, etag?: string): Promise<Answer> =>
  registry.call(method, `/v1/tenants/${tenant}${path}`, {
    ...(body === undefined ? {} : { body }),
    headers: etag === undefined ? {} : { 'if-match': etag },
  });

const PAIR = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const JWK = { ...PAIR.publicKey.export({ format: 'jwk' }), alg: 'ES256' };
const PRIVATE_JWK = { ...PAIR.privateKey.export({ format: 'jwk' }), alg: 'ES256' };

describe('publishers', () => {
  it('are created, read, listed, changed and removed', async () => {
    const created = await call('PUT', '/publishers/team', {
      displayName: 'Team',
      keys: [{ kid: 'a', jwk: JWK }],
    });
    expect(created).toMatchObject({ status: 201, body: { id: 'team', servers: [] } });
    const keys = [
      { kid: 'a', jwk: JWK, notAfter: '2030-01-01T00:00:00Z' },
      { kid: 'b', jwk: JWK },
    ];
    const patched = await call('PATCH', '/publishers/team', { keys }, created.etag);
    expect(patched).toMatchObject({ status: 200, body: { displayName: 'Team', keys } });
    expect((await call('GET', '/publishers')).body.items).toEqual([patched.body]);
    const removed = await call('DELETE', '/publishers/team', undefined, patched.etag);
    expect(removed.status).toBe(204);
    expect((await call('GET', '/publishers/team')).status).toBe(404);
  });

  it('refuse a private key, naming the field, and keep it out of answer, log and store', async () => {
    const body = { displayName: 'Team', keys: [{ kid: 'a', jwk: PRIVATE_JWK }] };
    const answer = await call('PUT', '/publishers/team', body);
    expect(answer).toMatchObject({
      status: 400,
      body: {
        errors: [{ pointer: '/keys/0/jwk/d', message: expect.stringContaining('private key') }],
      },
    });
    const secret = PRIVATE_JWK.d ?? '';
    expect(secret.length).toBeGreaterThan(40);
    expect(JSON.stringify(answer.body)).not.toContain(secret);
    expect(registry.logLines.join('\n')).not.toContain(secret);
    expect((await call('GET', '/publishers')).body.items).toEqual([]);
  });

  it('belong to admins: an operator may read and not write', async () => {
    const path = `/v1/tenants/${tenant}/publishers`;
    const roles = [`operator:${tenant}`];
    expect((await registry.call('GET', path, { roles })).status).toBe(200);
    const body = { displayName: 'Team', keys: [{ kid: 'a', jwk: JWK }] };
    expect((await registry.call('PUT', `${path}/team`, { roles, body })).status).toBe(403);
  });
});
