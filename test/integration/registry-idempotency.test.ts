// Requests that are sent again: done once, answered the same, whoever dies in between and whichever replica is asked.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type Answer,
  adminToken,
  answerFrom,
  type Call,
  startTestRegistry,
  type TestRegistry,
} from '#test/integration/registry-harness.ts';
import { bytesOf, goodHeader, manifest2, publisherKey, signAs } from '#test/support/manifest-world.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

let registry: TestRegistry;

const T = '/v1/tenants/acme';
const TEAM = publisherKey('team-1');
const sample = sampleTenant('acme');
const { versions: _v, enabled: _e, activeVersion: _a, ...settings } = sample.servers[0] ?? {};

const put = async (path: string, body: unknown): Promise<void> => {
  const { status } = await registry.call('PUT', `${T}${path}`, { body });
  expect(status, path).toBe(201);
};

beforeEach(async () => {
  registry = await startTestRegistry();
  await put('', { displayName: 'Acme', accessContact: '' });
  await put('/issuers/home', sample.issuers[0]);
  await put('/servers/tracker', { ...settings, id: 'tracker', constraints: [] });
  await registry.call('PATCH', T, { body: { displayName: 'Second' }, headers: { 'if-match': '*' } });
});

afterEach(() => registry.stop());

const KEY = 'f0e1d2c3-0001';

const restore = (key: string | undefined, call: Call = {}, query = ''): Promise<Answer> =>
  registry.call('POST', `${T}/revisions/3/restore${query}`, {
    ...call,
    headers: {
      'if-match': '*',
      ...(key === undefined ? {} : { 'idempotency-key': key }),
      ...call.headers,
    },
  });

const terminate = (key: string, call: Call = {}): Promise<Answer> =>
  registry.call('POST', `${T}/streams/terminate`, {
    body: { serverId: 'tracker' },
    headers: { 'idempotency-key': key },
    ...call,
  });

const revisionOf = async (): Promise<number> => (await registry.call('GET', T)).body.revision;

const isReplayed = ({ headers }: Answer): boolean => headers.get('idempotency-replayed') === 'true';

describe('a request with a key', () => {
  it('is carried out once and answered the same', async () => {
    const first = await restore(KEY);
    expect(first).toMatchObject({ status: 200, body: { revision: 5 } });
    const again = await restore(KEY);
    expect(again).toMatchObject({ status: 200, etag: first.etag, body: first.body });
    expect([isReplayed(first), isReplayed(again)]).toEqual([false, true]);
    // With the quotes of a structured field it is the same key.
    expect(isReplayed(await restore(`"${KEY}"`))).toBe(true);
    expect(await revisionOf()).toBe(5);
    const event = await terminate(KEY);
    expect(event.status).toBe(202);
    expect((await terminate(KEY)).body).toEqual(event.body);
    expect((await registry.call('GET', `${T}/audit?action=terminate`)).body.items).toHaveLength(1);
  });

  it('is refused where the key was used for another one, and told the header', async () => {
    await terminate(KEY);
    const others: readonly Call[] = [
      { body: {} },
      { body: { serverId: 'tracker', reason: 'another' } },
      { headers: { 'idempotency-key': KEY, 'x-change-reason': 'another' } },
    ];
    for (const call of others)
      expect(await terminate(KEY, call)).toMatchObject({
        status: 422,
        body: {
          type: 'urn:mcpgw:problem:idempotency-key-reused',
          errors: [{ in: 'header', pointer: '/idempotency-key' }],
        },
      });
    expect((await restore('"not a key"')).status).toBe(400);
    expect((await restore('')).body.errors).toMatchObject([{ in: 'header', pointer: '/idempotency-key' }]);
    expect((await registry.call('GET', `${T}/audit?action=terminate`)).body.items).toHaveLength(1);
  });

  it('counts for its caller, its tenant and its route', async () => {
    await registry.call('PUT', '/v1/tenants/beta', { body: { displayName: 'b', accessContact: '' } });
    const path = '/v1/tenants/beta/streams/terminate';
    const headers = { 'idempotency-key': KEY };
    const bob = `Bearer ${await adminToken(['admin:acme'], { sub: 'bob' })}`;
    const answers = [
      await terminate(KEY),
      await registry.call('POST', path, { body: {}, headers }),
      await restore(KEY),
      await terminate(KEY, { roles: null, headers: { ...headers, authorization: bob } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 200, 202]);
    expect(answers.some(isReplayed)).toBe(false);
  });

  it('that was refused, or was a dry run, may be tried again', async () => {
    const headers = { 'if-match': '"1"' };
    expect((await restore(KEY, { headers })).status).toBe(412);
    expect((await restore(KEY, { headers })).status).toBe(412);
    expect((await restore(KEY, {}, '?dryRun=true')).status).toBe(200);
    expect((await restore(KEY)).status).toBe(200);
    expect(await revisionOf()).toBe(5);
  });

  it('is done by one of many that come at once', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => restore(KEY)));
    const done = answers.filter((answer) => answer.status === 200 && !isReplayed(answer));
    expect(done).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status !== 200))
      expect(answer).toMatchObject({
        status: 409,
        body: { type: 'urn:mcpgw:problem:idempotency-key-in-progress' },
      });
    expect(await revisionOf()).toBe(5);
    expect((await restore(KEY)).body).toEqual(done[0]?.body);
  });

  it('whose registry dies after the commit is told so, and not done again', async () => {
    const kept = vi.spyOn(registry.store, 'keepAnswer').mockRejectedValue(new Error('dead'));
    expect((await restore(KEY)).status).toBe(200);
    kept.mockRestore();
    expect(await restore(KEY)).toMatchObject({ status: 409, headers: expect.anything() });
    const inAMinute = Date.now() + 61_000;
    const clock = vi.spyOn(Date, 'now').mockReturnValue(inAMinute);
    const token = await adminToken(['platform-admin']);
    const later = await restore(KEY, { roles: null, headers: { authorization: `Bearer ${token}` } });
    clock.mockRestore();
    expect(later).toMatchObject({
      status: 409,
      body: { type: 'urn:mcpgw:problem:idempotency-answer-lost', errors: [{ pointer: '/idempotency-key' }] },
    });
    expect(later.body.errors[0]?.message).toContain('commit 5');
    expect(await revisionOf()).toBe(5);
  });

  it('whose registry dies before the commit is done by the next attempt', async () => {
    const { write } = registry.store;
    const dying = vi.spyOn(registry.store, 'write').mockRejectedValue(new Error('dead'));
    expect((await restore(KEY)).status).toBe(500);
    dying.mockImplementation(write);
    expect((await restore(KEY)).status).toBe(409);
    const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 61_000);
    const done = await restore(KEY);
    clock.mockRestore();
    dying.mockRestore();
    expect(done).toMatchObject({ status: 200, body: { revision: 5 } });
    expect(isReplayed(done)).toBe(false);
  });
});

describe('a manifest with a key', () => {
  const post = async (bytes: Buffer, signature: string, key: string): Promise<Answer> =>
    answerFrom(
      'POST',
      await fetch(`${registry.url}${T}/manifests`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-jws-signature': signature,
          'idempotency-key': key,
        },
        body: new Uint8Array(bytes),
      }),
    );

  it('is answered again under its one signature, to nobody but its publisher', async () => {
    await put('/publishers/team', {
      displayName: 'Team',
      keys: [{ kid: TEAM.kid, jwk: TEAM.jwk }],
      servers: ['tracker'],
    });
    const bytes = bytesOf(manifest2());
    const header = goodHeader(TEAM.kid, 'acme', Math.floor(Date.now() / 1_000));
    const signature = await signAs(TEAM, bytes, header);
    const first = await post(bytes, signature, KEY);
    expect(first.status).toBe(201);
    const again = await post(bytes, signature, KEY);
    expect(again).toMatchObject({ status: 201, body: first.body });
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
    expect(isReplayed(again)).toBe(true);
    // Without the key, or under another one, the signature was simply used before.
    expect((await post(bytes, signature, 'another-key')).status).toBe(409);
    const resigned = await signAs(TEAM, bytes, { ...header, jti: 'another-jti' });
    expect((await post(bytes, resigned, KEY)).status).toBe(422);
    const forged = `${signature.slice(0, -8)}AAAAAAAA`;
    expect((await post(bytes, forged, KEY)).status).toBe(401);
  });
});

describe('the document', () => {
  it('offers a key for every POST that changes something', async () => {
    const document = (await (await fetch(`${registry.url}/openapi.json`)).json()) as {
      readonly paths: Readonly<
        Record<string, { readonly post?: { readonly parameters: readonly { readonly name: string }[] } }>
      >;
    };
    for (const [path, { post }] of Object.entries(document.paths)) {
      if (post === undefined || path.endsWith('/dry-run')) continue;
      expect(
        post.parameters.map(({ name }) => name),
        path,
      ).toContain('idempotency-key');
    }
  });
});
