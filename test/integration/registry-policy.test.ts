// A tenant's own policy over the API: bundles are uploaded and examined, and one of them is named, as a change like any
// other that can be read, compared, tried and restored.

import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '#registry/store/store.ts';
import {
  adminToken,
  answerFrom,
  type Call,
  startTestRegistry,
  type TestRegistry,
} from '#test/integration/registry-harness.ts';
import { archiveOf, buildTenantBundle } from '#test/support/tenant-bundle.ts';

const POLICY = '/v1/tenants/acme/policy';
const BUNDLES = '/v1/tenants/acme/policy-bundles';

const FIRST = buildTenantBundle({ revision: 'first' });
const SECOND = buildTenantBundle({
  revision: 'second',
  files: {
    'night.rego': 'package mcp.authz.constraint\n\nviolated contains "night" if input.request.time > "T22"\n',
  },
});

const RELEASE = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const OTHER = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const signedBy = (key: KeyObject, revision: string): Buffer =>
  buildTenantBundle({
    revision,
    sign: {
      key: key.export({ format: 'pem', type: 'pkcs8' }) as string,
      algorithm: 'ES256',
      keyId: 'release',
    },
  });

const SIGNED = signedBy(RELEASE.privateKey, 'signed');

const keyOf = (key: KeyObject) => ({
  kid: 'release',
  jwk: { ...key.export({ format: 'jwk' }), alg: 'ES256' },
});

let registry: TestRegistry;

beforeEach(async () => {
  registry = await startTestRegistry({ allowPrivate: true });
  for (const tenant of ['acme', 'beta']) {
    const body = { displayName: tenant, accessContact: '' };
    expect((await registry.call('PUT', `/v1/tenants/${tenant}`, { body })).status).toBe(201);
  }
});

afterEach(() => registry.stop());

const upload = async (bytes: Buffer, path = BUNDLES) => {
  const response = await fetch(`${registry.url}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await adminToken(['platform-admin'])}`,
      'content-type': 'application/gzip',
      'x-change-reason': 'a test',
    },
    body: new Uint8Array(bytes),
  });
  const answer = await answerFrom('POST', response);
  return { ...answer, body: answer.body as unknown as Record<string, string> };
};

const put = (body: object, call: Call = {}, query = '') =>
  registry.call('PUT', `${POLICY}${query}`, { body, ...call });

/** Puts a policy in the place of the one that is there. */
const replace = async (body: object, query = '') => {
  const { etag } = await registry.call('GET', POLICY);
  return put(body, { headers: { 'if-match': etag } }, query);
};

const digestAfterUpload = async (bytes: Buffer): Promise<string> => {
  const { status, body } = await upload(bytes);
  expect(status, JSON.stringify(body)).toBe(201);
  return body['digest'] ?? '';
};

describe('the upload of a bundle', () => {
  it('keeps what passes, byte for byte, and once', async () => {
    const first = await upload(FIRST);
    expect(first).toMatchObject({ status: 201, body: { revision: 'first', size: FIRST.length } });
    expect(first.body).not.toHaveProperty('signedBy');
    expect(await upload(FIRST)).toMatchObject({ status: 200, body: first.body });
    await upload(SECOND);
    const list = await registry.call('GET', BUNDLES);
    expect(list.body.items).toMatchObject([{ revision: 'second' }, { revision: 'first' }]);
    const response = await fetch(`${registry.url}${BUNDLES}/${first.body['digest']}`, {
      headers: { authorization: `Bearer ${await adminToken(['platform-admin'])}` },
    });
    expect(response.headers.get('content-type')).toBe('application/gzip');
    expect(Buffer.from(await response.arrayBuffer()).equals(FIRST)).toBe(true);
  });

  it('is told in the audit, and makes no revision', async () => {
    await upload(FIRST);
    const { body } = await registry.call('GET', '/v1/tenants/acme');
    expect(body.revision).toBe(1);
    const audit = await registry.call('GET', '/v1/tenants/acme/audit?action=upload');
    expect(audit.body.items).toHaveLength(1);
  });

  it('gives nothing to another tenant', async () => {
    const digest = await digestAfterUpload(FIRST);
    expect((await registry.call('GET', `/v1/tenants/beta/policy-bundles/${digest}`)).status).toBe(404);
    const named = await registry.call('PUT', '/v1/tenants/beta/policy', { body: { bundle: { digest } } });
    expect(named).toMatchObject({ status: 422, body: { errors: [{ pointer: '/bundle/digest' }] } });
  });

  it.each<[string, Buffer, RegExp]>([
    ['no archive', Buffer.from('no'), /is not gzip/],
    ['a file outside', archiveOf([{ name: '../policy.wasm', content: '' }]), /no plain name/],
    ['no policy', archiveOf([{ name: 'data.json', content: '{}' }]), /holds no \/policy\.wasm/],
    ['a signature that nobody can verify', SIGNED, /no key of the tenant in force/],
    [
      'a policy without a decision',
      buildTenantBundle({
        withRules: false,
        files: { 'p.rego': 'package mcp.authz\n\ndecision := true if input.no\n\nvisible := {}\n' },
      }),
      /the answer is undefined/,
    ],
    [
      'a builtin that WASM lacks',
      buildTenantBundle({
        limited: false,
        files: { 'now.rego': 'package mcp.authz.constraint\n\nviolated contains "x" if time.now_ns() > 0\n' },
      }),
      /time\.now_ns/,
    ],
  ])('refuses %s, and says why', async (_what, bytes, message) => {
    expect(await upload(bytes)).toMatchObject({
      status: 422,
      body: {
        type: 'urn:mcpgw:problem:policy-refused',
        errors: [{ message: expect.stringMatching(message) }],
      },
    });
    expect((await registry.call('GET', BUNDLES)).body.items).toEqual([]);
  });

  it('refuses what is too long before it reads it', async () => {
    expect(await upload(Buffer.alloc(5 * 1024 * 1024))).toMatchObject({ status: 413 });
  });

  it('takes JSON for no bundle', async () => {
    const answer = await registry.call('POST', BUNDLES, { body: {} });
    expect(answer.status).toBe(422);
  });
});

describe('a signed bundle', () => {
  it('is kept with who signed it, once the key is registered', async () => {
    await put({ keys: [keyOf(RELEASE.publicKey)], requireSignature: true });
    const { body } = await upload(SIGNED);
    expect(body).toMatchObject({ kid: 'release', signedBy: expect.any(String) });
    const named = await replace({
      keys: [keyOf(RELEASE.publicKey)],
      requireSignature: true,
      bundle: { digest: body['digest'] },
    });
    expect(named).toMatchObject({ status: 200, body: { bundle: { signedBy: body['signedBy'] } } });
  });

  it('is refused where another key has the name', async () => {
    await put({ keys: [keyOf(OTHER.publicKey)] });
    expect(await upload(SIGNED)).toMatchObject({
      status: 422,
      body: { errors: [{ message: 'is not signed by key release' }] },
    });
  });

  it('is needed where the tenant says so, at the upload and where it is named', async () => {
    const digest = await digestAfterUpload(FIRST);
    await put({ keys: [keyOf(RELEASE.publicKey)], requireSignature: true });
    expect(await upload(SECOND)).toMatchObject({
      status: 422,
      body: { errors: [{ message: 'is not signed, and the tenant demands it' }] },
    });
    const named = await replace({
      keys: [keyOf(RELEASE.publicKey)],
      requireSignature: true,
      bundle: { digest },
    });
    expect(named).toMatchObject({ status: 422, body: { errors: [{ pointer: '/bundle' }] } });
  });

  it('goes with its key, also where another key is given its name', async () => {
    await put({ keys: [keyOf(RELEASE.publicKey)], requireSignature: true });
    const digest = await digestAfterUpload(SIGNED);
    const policy = { requireSignature: true, bundle: { digest } };
    expect((await replace({ ...policy, keys: [keyOf(RELEASE.publicKey)] })).status).toBe(200);
    for (const keys of [[], [keyOf(OTHER.publicKey)]])
      expect(await replace({ ...policy, keys })).toMatchObject({
        status: 422,
        body: { errors: [{ pointer: '/bundle', message: 'is signed by a key that is not among keys' }] },
      });
  });

  it('is nobody else’s, whatever the request says', async () => {
    const digest = await digestAfterUpload(FIRST);
    const answer = await put({ bundle: { digest, signedBy: 'x'.repeat(43) } });
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ pointer: '/bundle/signedBy' }] } });
  });

  it('needs a key that is one', async () => {
    const key = keyOf(RELEASE.publicKey);
    const answer = await put({ keys: [{ ...key, jwk: { ...key.jwk, alg: 'RS256' } }] });
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ pointer: '/keys/0/jwk/alg' }] } });
    expect(await put({ keys: [key, key] })).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '/keys/0/kid' }, { pointer: '/keys/1/kid' }] },
    });
  });
});

describe('the policy of a tenant', () => {
  it('is set, read as it was set, replaced and removed', async () => {
    const digest = await digestAfterUpload(FIRST);
    const set = await put({ bundle: { digest } });
    expect(set).toMatchObject({
      status: 201,
      body: { bundle: { digest }, keys: [], requireSignature: false },
    });
    const read = await registry.call('GET', POLICY);
    expect(read.body).toEqual(set.body);
    expect((await replace(read.body)).status).toBe(200);
    expect((await put({ bundle: { digest } })).status).toBe(428);
    const other = await digestAfterUpload(SECOND);
    expect((await replace({ bundle: { digest: other } })).status).toBe(200);
    const { etag } = await registry.call('GET', POLICY);
    expect((await registry.call('DELETE', POLICY, { headers: { 'if-match': etag } })).status).toBe(204);
    expect((await registry.call('GET', POLICY)).status).toBe(404);
  });

  it('has a bundle on trial beside it, which is held to the same', async () => {
    const [digest, shadow] = [await digestAfterUpload(FIRST), await digestAfterUpload(SECOND)];
    const set = await put({ bundle: { digest }, shadow: { digest: shadow } });
    expect(set).toMatchObject({ status: 201, body: { bundle: { digest }, shadow: { digest: shadow } } });
    expect((await registry.call('DELETE', `${BUNDLES}/${shadow}`)).status).toBe(409);
    expect(await replace({ shadow: { digest: '0'.repeat(64) } })).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '/shadow/digest' }] },
    });
    const unsigned = { shadow: { digest: shadow }, requireSignature: true, keys: [keyOf(RELEASE.publicKey)] };
    expect(await replace(unsigned)).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '/shadow' }] },
    });
  });

  it('names what was uploaded and nothing else', async () => {
    expect(await put({ bundle: { digest: '0'.repeat(64) } })).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '/bundle/digest' }] },
    });
  });

  it('keeps its bundle from being removed, and lets go of others', async () => {
    const [digest, other] = [await digestAfterUpload(FIRST), await digestAfterUpload(SECOND)];
    await put({ bundle: { digest } });
    expect((await registry.call('DELETE', `${BUNDLES}/${digest}`)).status).toBe(409);
    expect((await registry.call('DELETE', `${BUNDLES}/${other}`)).status).toBe(204);
    expect((await registry.call('DELETE', `${BUNDLES}/${other}`)).status).toBe(404);
    expect((await registry.call('GET', BUNDLES)).body.items).toHaveLength(1);
  });

  const loosenedBy = async (body: object): Promise<readonly { resource: string; message: string }[]> => {
    const answer = await replace(body, '?dryRun=true');
    expect(answer.status).toBe(200);
    return (answer.body as unknown as { access: { loosened: { resource: string; message: string }[] } })
      .access.loosened;
  };

  it('says in a dry run what it may loosen', async () => {
    const [digest, other] = [await digestAfterUpload(FIRST), await digestAfterUpload(SECOND)];
    const keys = [keyOf(RELEASE.publicKey)];
    const first = await put({ bundle: { digest }, keys }, {}, '?dryRun=true');
    expect(first.body).toMatchObject({ access: { loosened: [] } });
    await put({ bundle: { digest }, keys });
    expect(
      await loosenedBy({ bundle: { digest }, keys: [...keys, { ...keyOf(OTHER.publicKey), kid: 'b' }] }),
    ).toEqual([]);
    expect(await loosenedBy({ bundle: { digest: other }, keys })).toEqual([
      { resource: 'policy', message: 'the bundle is another' },
    ]);
    expect(await loosenedBy({ keys })).toEqual([{ resource: 'policy', message: 'the bundle is dropped' }]);
    await replace({ keys, requireSignature: true });
    expect(await loosenedBy({ keys })).toEqual([
      { resource: 'policy', message: 'a bundle needs no signature any more' },
    ]);
    expect(await loosenedBy({ keys: [keyOf(OTHER.publicKey)], requireSignature: true })).toEqual([
      { resource: 'policy', message: 'key release may sign bundles' },
    ]);
  });

  const REMOTE = { url: 'https://opa.example.com/v1/data/mcp/authz', timeoutMs: 200 };

  it('keeps an OPA that is asked too, and says what it loosens to ask another one or none', async () => {
    expect((await put({ remote: { url: REMOTE.url } })).body).toMatchObject({
      remote: { url: REMOTE.url, timeoutMs: 500 },
    });
    await replace({ remote: REMOTE });
    expect((await registry.call('GET', POLICY)).body).toMatchObject({ remote: REMOTE });
    expect(await loosenedBy({ remote: { ...REMOTE, timeoutMs: 100 } })).toEqual([]);
    expect(await loosenedBy({ remote: { ...REMOTE, url: `${REMOTE.url}/other` } })).toEqual([
      { resource: 'policy', message: 'the remote policy is another' },
    ]);
    expect(await loosenedBy({})).toEqual([{ resource: 'policy', message: 'the remote policy is dropped' }]);
  });

  it.each<[string, object]>([
    ['http://169.254.169.254/v1/data/mcp/authz', { url: 'http://169.254.169.254/v1/data/mcp/authz' }],
    ['a query', { url: `${REMOTE.url}?pretty` }],
    ['a slash at the end', { url: `${REMOTE.url}/` }],
    ['a scheme of its own', { url: 'ftp://opa.example.com/v1/data' }],
  ])('refuses an OPA at %s, and names the field', async (_title, remote) => {
    const answer = await put({ remote });
    expect(answer.status).toBe(422);
    expect(answer.body.errors).toMatchObject([{ pointer: '/remote/url' }]);
  });

  it('is named in the difference of revisions, and comes back with a restore that was confirmed', async () => {
    const [digest, other] = [await digestAfterUpload(FIRST), await digestAfterUpload(SECOND)];
    await put({ bundle: { digest } });
    const { revision } = (await registry.call('GET', '/v1/tenants/acme')).body;
    await replace({ bundle: { digest: other } });
    const diff = await registry.call('GET', `/v1/tenants/acme/revisions/${revision + 1}/diff`);
    expect(diff.body).toMatchObject({
      resources: [
        { resource: 'policy', changes: [{ pointer: '/bundle/digest', before: digest, after: other }] },
      ],
    });
    const { etag } = await registry.call('GET', '/v1/tenants/acme');
    const restore = `/v1/tenants/acme/revisions/${revision}/restore`;
    const refused = await registry.call('POST', restore, { headers: { 'if-match': etag } });
    expect(refused).toMatchObject({ status: 409, body: { access: { loosened: [{ resource: 'policy' }] } } });
    const seen = (refused.body as unknown as { access: { digest: string } }).access.digest;
    const restored = await registry.call('POST', `${restore}?confirmAddedAccess=${seen}`, {
      headers: { 'if-match': etag },
    });
    expect(restored.status).toBe(200);
    expect((await registry.call('GET', POLICY)).body).toMatchObject({ bundle: { digest } });
  });

  it('does not come back with a restore once its bundle was removed: every call would be refused', async () => {
    const [digest, other] = [await digestAfterUpload(FIRST), await digestAfterUpload(SECOND)];
    await put({ bundle: { digest } });
    const { revision } = (await registry.call('GET', '/v1/tenants/acme')).body;
    await replace({ bundle: { digest: other } });
    await registry.call('DELETE', `${BUNDLES}/${digest}`);
    const { etag } = await registry.call('GET', '/v1/tenants/acme');
    const restore = `/v1/tenants/acme/revisions/${revision}/restore`;
    const refused = await registry.call('POST', restore, { headers: { 'if-match': etag } });
    const seen = (refused.body as unknown as { access: { digest: string } }).access.digest;
    for (const query of ['?dryRun=true', `?confirmAddedAccess=${seen}`]) {
      const answer = await registry.call('POST', `${restore}${query}`, { headers: { 'if-match': etag } });
      expect(answer).toMatchObject({ status: 409, body: { type: 'urn:mcpgw:problem:conflict' } });
      expect(answer.body.errors[0]?.message).toContain(digest);
    }
    expect((await registry.call('GET', POLICY)).body).toMatchObject({ bundle: { digest: other } });
  });

  /** Has something done by somebody else between the judgement of a request and its commit. */
  const justBefore = (name: 'write' | 'forgetPolicyBundle', done: () => Promise<unknown>): void => {
    const store = registry.store as { -readonly [Name in keyof Store]: Store[Name] };
    const commit = store[name] as (write: unknown) => Promise<never>;
    store[name] = async (write: unknown): Promise<never> => {
      store[name] = commit;
      await done();
      return commit(write);
    };
  };

  it('and the removal of its bundle do not pass each other by, whichever is first', async () => {
    const [digest, other] = [await digestAfterUpload(FIRST), await digestAfterUpload(SECOND)];
    justBefore('forgetPolicyBundle', () => put({ bundle: { digest } }));
    expect((await registry.call('DELETE', `${BUNDLES}/${digest}`)).status).toBe(409);
    justBefore('write', () => registry.call('DELETE', `${BUNDLES}/${other}`));
    expect((await replace({ bundle: { digest: other } })).status).toBe(409);
    expect((await registry.call('GET', POLICY)).body).toMatchObject({ bundle: { digest } });
    expect((await registry.call('GET', `${BUNDLES}`)).body.items).toMatchObject([{ digest }]);
  });

  it('brings back no key that was withdrawn, and no freedom from signatures', async () => {
    await put({ keys: [keyOf(OTHER.publicKey)] });
    const { revision } = (await registry.call('GET', '/v1/tenants/acme')).body;
    await replace({ keys: [], requireSignature: true });
    const { etag } = await registry.call('GET', '/v1/tenants/acme');
    await registry.call('POST', `/v1/tenants/acme/revisions/${revision}/restore`, {
      headers: { 'if-match': etag },
    });
    expect((await registry.call('GET', POLICY)).body).toMatchObject({ keys: [], requireSignature: true });
  });
});
