// Revocations as the registry takes them: from operators over its API, and from our own services over the port of the feed.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RevocationAnswer, RevocationReport } from '#core/revocation.ts';
import { createRevocationClient, type RevocationClient } from '#registry/feed/revocations/client.ts';
import { createRevocationService } from '#registry/feed/revocations/service.ts';
import { createReportAnswers } from '#registry/record-revocation.ts';
import { startGrpcServer } from '#runtime/grpc-server.ts';
import { createLogger } from '#runtime/logger.ts';
import { type Answer, startTestRegistry, type TestRegistry } from '#test/integration/registry-harness.ts';

const DIRECTORY = '11111111-1111-4111-8111-111111111111';
const PERSON = '22222222-2222-4222-8222-222222222222';
const OPERATOR = ['operator:acme'];
const LIST = '/v1/tenants/acme/revocations';

let registry: TestRegistry;
let client: RevocationClient;
let close: () => Promise<void>;
let directory: string;
let people = 0;

beforeAll(async () => {
  registry = await startTestRegistry();
  for (const tenant of ['acme', 'beta'])
    await registry.call('PUT', `/v1/tenants/${tenant}`, { body: { displayName: tenant, accessContact: '' } });
  const made = await registry.call('PUT', '/v1/tenants/acme/issuers/home', {
    body: { preset: 'entra', directoryTenants: [DIRECTORY], relation: 'home' },
  });
  expect(made.status).toBe(201);
  directory = await mkdtemp(join(tmpdir(), 'revocations-'));
  const address = { kind: 'unix', path: join(directory, 'feed.sock') } as const;
  const answers = createReportAnswers(registry.context.recordRevocation);
  close = await startGrpcServer(address, [createRevocationService(answers, createLogger('test', 'silent'))]);
  client = createRevocationClient(address, undefined);
});

afterAll(async () => {
  client.stop();
  await close();
  await registry.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Each test is about somebody else. */
let target: { readonly kind: 'subject'; readonly issuerId: string; readonly subject: string };
beforeEach(() => {
  people += 1;
  target = { kind: 'subject', issuerId: 'home', subject: `person-${people}` };
});

type View = Answer['body'] & { readonly id: string; readonly notBefore: string };

const revoke = async (body: object, headers: Record<string, string> = {}) => {
  const answer = await registry.call('POST', LIST, {
    roles: OPERATOR,
    body: { reason: 'laptop stolen', ...body },
    headers,
  });
  return { ...answer, body: answer.body as View };
};

const nowSeconds = (): number => Math.floor(Date.now() / 1000);

describe('an operator', () => {
  it('ends what somebody holds as of the next whole second', async () => {
    const before = nowSeconds();
    const { status, body } = await revoke({ target });
    expect(status).toBe(201);
    expect(body).toMatchObject({ target, source: 'operator', reason: 'laptop stolen' });
    const notBefore = Date.parse(body.notBefore) / 1000;
    expect(notBefore).toBeGreaterThan(before);
    expect(notBefore).toBeLessThanOrEqual(nowSeconds() + 1);
    const read = await registry.call('GET', `${LIST}/${body.id}`, { roles: OPERATOR });
    expect(read.body).toEqual(body);
    const list = await registry.call('GET', `${LIST}?limit=1`, { roles: OPERATOR });
    expect(list.body.items).toEqual([body]);
  });

  it('is told that nothing changed where a revocation says as much', async () => {
    const first = await revoke({ target, notBefore: '2026-01-01T00:00:00Z' });
    expect(first.status, 'so long ago that nothing can live').toBe(422);
    const made = await revoke({ target });
    const again = await revoke({ target, notBefore: new Date(Date.now() - 60_000).toISOString() });
    expect(again.status).toBe(200);
    expect(again.body).toEqual(made.body);
  });

  it('may repeat a request that named itself', async () => {
    const headers = { 'idempotency-key': `key-${people}` };
    const first = await revoke({ target }, headers);
    const second = await revoke({ target }, headers);
    expect(second.body).toEqual(first.body);
    expect(second.status).toBe(201);
  });

  it.each([
    [{ kind: 'subject', issuerId: 'nobody', subject: 'a' }, '/target/issuerId'],
    [{ kind: 'token', issuerId: 'nobody', tokenId: 'a' }, '/target/issuerId'],
    [{ kind: 'directory-user', tid: PERSON, oid: PERSON }, '/target/tid'],
  ])('hears of a slip: %j', async (slip, pointer) => {
    const { status, body } = await revoke({ target: slip });
    expect(status).toBe(422);
    expect(body.errors?.map((fault) => fault.pointer)).toEqual([pointer]);
  });

  it('cannot lock anybody out with a moment that lies ahead', async () => {
    const ahead = await revoke({ target, notBefore: new Date(Date.now() + 600_000).toISOString() });
    expect([ahead.status, ahead.body.errors?.[0]?.pointer]).toEqual([422, '/notBefore']);
  });

  it('names a person of a directory in either case', async () => {
    const upper = { kind: 'directory-user', tid: DIRECTORY.toUpperCase(), oid: PERSON.toUpperCase() };
    const made = await revoke({ target: upper });
    expect(made.status).toBe(201);
    const same = { kind: 'directory-user', tid: DIRECTORY, oid: PERSON };
    const again = await revoke({ target: same, notBefore: new Date(Date.now() - 5_000).toISOString() });
    expect([again.status, again.body.id]).toEqual([200, made.body.id]);
  });

  it('is on record, with whom it was about sealed', async () => {
    await revoke({ target });
    const audit = await registry.call('GET', '/v1/tenants/acme/audit?limit=1', { roles: ['auditor:acme'] });
    expect(audit.body.items).toMatchObject([
      {
        action: 'revoke subject',
        reason: 'laptop stolen',
        target: JSON.stringify(['subject', 'home', target.subject]),
      },
    ]);
    expect(await registry.store.findAuditFault()).toBeUndefined();
  });

  it('reaches no other tenant', async () => {
    const foreign = await registry.call('POST', '/v1/tenants/beta/revocations', {
      roles: OPERATOR,
      body: { target, reason: 'not mine' },
    });
    expect(foreign.status).toBe(403);
  });
});

describe('a service', () => {
  const report = async (change: Partial<RevocationReport> = {}): Promise<RevocationAnswer> => {
    const answer = await client.report({
      tenantId: 'acme',
      target,
      notBefore: nowSeconds(),
      source: 'token-exchange',
      reason: 'the identity provider ended the session (AADSTS50173)',
      ...change,
    });
    if (!answer.ok) throw new Error(answer.error);
    return answer.value;
  };

  it('reports what it has learnt, twice without harm', async () => {
    const first = await report();
    expect(first).toMatchObject({ state: 'recorded', changed: true });
    expect(await report({ notBefore: nowSeconds() - 5 })).toEqual({ ...first, changed: false });
    const id = first.state === 'recorded' ? first.id : '';
    const { body } = await registry.call('GET', `${LIST}/${id}`, { roles: OPERATOR });
    expect(body).toMatchObject({ source: 'token-exchange' });
    expect(body).not.toHaveProperty('actor');
  });

  it('is told why a report became no mark', async () => {
    expect(await report({ tenantId: 'nobody' })).toEqual({ state: 'refused', fault: 'tenant-unknown' });
    expect(await report({ target: { ...target, issuerId: 'nobody' } })).toEqual({
      state: 'refused',
      fault: 'issuer-unknown',
    });
  });

  it('cannot speak as an operator', async () => {
    const answer = await client.report({
      tenantId: 'acme',
      target,
      notBefore: nowSeconds(),
      source: 'operator',
      reason: 'pretended',
    });
    expect(answer.ok).toBe(false);
  });
});
