// A breaking change of the manifest, on the running product: a publisher who still writes schema version 1 and one who
// writes version 2 publish in turn, each version is put into service and back, and callers notice nothing of it.

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TRACKER_TOOLS } from '#demo/servers/tracker/tools.ts';
import { signManifest } from '#registry/manifest/sign-manifest.ts';
import { tenantAudience } from '#registry/manifest/verify-signature.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { callTool } from '#test/support/raw-call.ts';

const SERVER = '/v1/tenants/default/servers/tracker';

let product: Product;
let alice: string;

beforeAll(async () => {
  product = await startProduct();
  alice = await product.token('alice');
}, 300_000);
afterAll(() => product.stop());

const withoutScopes = TRACKER_TOOLS.map(({ requiredScopes: _scopes, ...tool }) => tool);

/** What both publishers say of the server; how they say it is the difference. */
const shared = (version: string) => ({
  server: 'tracker',
  version,
  endpoints: [`http://127.0.0.1:${product.process.environment['DEMO_TRACKER_PORT']}/mcp`],
  protocolVersions: ['2025-06-18', '2025-11-25', '2026-07-28'],
});

const oldManifest = (version: string, scope: string): object => ({
  ...shared(version),
  schemaVersion: '1',
  scopes: [scope],
  tools: withoutScopes,
  owner: 'Tracker team',
});

const newManifest = (version: string, scopeOf: (tool: string) => string): object => ({
  ...shared(version),
  schemaVersion: '2',
  tools: withoutScopes.map((tool) => ({ ...tool, requiredScopes: [scopeOf(tool.name)] })),
  owner: { name: 'Tracker team', contact: 'tracker@contoso.example' },
});

const publish = async (manifest: object): Promise<number> => {
  const bytes = Buffer.from(JSON.stringify(manifest));
  const { kid, privateKeyFile } = product.quickstart.publisher;
  const iat = Math.floor(Date.now() / 1_000);
  const times = { iat, exp: iat + 600, jti: randomUUID() };
  const signature = await signManifest(bytes, JSON.parse(readFileSync(privateKeyFile, 'utf8')) as JWK, {
    alg: 'ES256',
    kid,
    aud: tenantAudience('default'),
    ...times,
  });
  const response = await fetch(`${product.quickstart.registry}/v1/tenants/default/manifests`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-jws-signature': signature },
    body: bytes,
  });
  return response.status;
};

/** An admin reads what differs from what was approved, and approves that. */
const approve = async (version: string): Promise<void> => {
  const path = `${SERVER}/versions/${version}`;
  const review = (await product.registry('GET', `${path}/review`)).body as Record<string, unknown>;
  if (review['state'] !== 'waiting') return;
  const { status, body } = await product.registry('POST', `${path}/approve`, { digest: review['digest'] });
  expect(status, JSON.stringify(body)).toBe(200);
};

const activate = async (version: string): Promise<void> => {
  await approve(version);
  const { status, body } = await product.registry(
    'PUT',
    `${SERVER}/active-version`,
    { version },
    { 'if-match': '*' },
  );
  expect(status, JSON.stringify(body)).toBe(200);
};

/** Versions that decisions were made by, in the order in which they came into service. */
const versionsInService = async (): Promise<unknown[]> => {
  const versions = (await product.decisions()).map(({ version }) => version);
  return versions.filter((version, index) => version !== undefined && version !== versions[index - 1]);
};

const reaches = (version: string) =>
  expect.poll(async () => (await versionsInService()).at(-1), { timeout: 30_000 }).toBe(version);

type Calls = { isOver: boolean; readonly faults: string[]; count: number };

/** Calls one tool without a pause, one call after the other, until it is told to end. */
const callOn = async (calls: Calls): Promise<void> => {
  while (!calls.isOver) {
    const answer = await callTool(product.serverUrl('tracker'), alice, { name: 'list_issues' });
    calls.count += 1;
    if (answer.status !== 200 || answer.message.result === undefined) calls.faults.push(answer.text);
  }
};

const reasonOf = async (tool: string): Promise<unknown> => {
  const answer = await callTool(product.serverUrl('tracker'), alice, {
    name: tool,
    arguments: tool === 'get_issue' ? { id: 1 } : {},
  });
  return answer.message.error?.data?.['reason'] ?? (answer.status === 200 ? undefined : answer.status);
};

describe('an old publisher', () => {
  it('keeps working through a breaking change, and no call fails of it', async () => {
    const calls: Calls = { isOver: false, faults: [], count: 0 };
    const calling = callOn(calls);
    expect(await publish(oldManifest('10.0.0', 'tools.use'))).toBe(201);
    await activate('10.0.0');
    await reaches('10.0.0');
    // The change: a new publisher, while the version of the old one is in service.
    expect(await publish(newManifest('11.0.0', () => 'tools.use'))).toBe(201);
    const { body } = await product.registry('GET', SERVER);
    expect(body).toMatchObject({ activeVersion: '10.0.0' });
    await activate('11.0.0');
    await reaches('11.0.0');
    // The old one publishes on, as it always has.
    expect(await publish(oldManifest('12.0.0', 'tools.use'))).toBe(201);
    expect(await publish(newManifest('13.0.0', () => 'tools.use'))).toBe(201);
    for (const version of ['12.0.0', '13.0.0', '10.0.0']) {
      await activate(version);
      await reaches(version);
    }
    calls.isOver = true;
    await calling;
    expect(calls.faults).toEqual([]);
    expect(calls.count).toBeGreaterThan(20);
    const published = (await versionsInService()).filter((version) => !String(version).startsWith('1.0.'));
    expect(published).toEqual(['10.0.0', '11.0.0', '12.0.0', '13.0.0', '10.0.0']);
  }, 120_000);

  it('guards every tool with its one list of scopes, a new one each with its own', async () => {
    expect(await publish(oldManifest('20.0.0', 'issues.admin'))).toBe(201);
    await activate('20.0.0');
    for (const tool of ['list_issues', 'get_issue'])
      await expect.poll(() => reasonOf(tool), { timeout: 30_000 }).toBe('scope_insufficient');
    const scopeOf = (tool: string): string => (tool === 'get_issue' ? 'issues.admin' : 'tools.use');
    expect(await publish(newManifest('21.0.0', scopeOf))).toBe(201);
    await activate('21.0.0');
    await expect.poll(() => reasonOf('list_issues'), { timeout: 30_000 }).toBeUndefined();
    expect(await reasonOf('get_issue')).toBe('scope_insufficient');
  }, 120_000);

  it('is told the name of a schema that is newer than any that is known', async () => {
    expect(await publish({ ...shared('30.0.0'), schemaVersion: '3' })).toBe(422);
  });
});
