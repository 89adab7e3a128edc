// Unit tests of key-sets.ts and key-set-store.ts: a real key server through the real egress guard, real files.
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TrustedIssuer } from '#core/issuer.ts';
import type { Snapshot } from '#core/snapshot.ts';
import type { TokenHint } from '#ext-authz/identity/jwt-parts.ts';
import { createKeySetStore } from '#ext-authz/identity/key-set-store.ts';
import { createKeySets, type KeySets } from '#ext-authz/identity/key-sets.ts';
import { createEgressGuard } from '#runtime/egress-guard.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics, type Metrics } from '#runtime/metrics.ts';
import {
  createTestKey,
  type KeyServer,
  oidcIssuer,
  publishKey,
  startKeyServer,
  testTenant,
} from '#test/support/token-issuer.ts';

const key = createTestKey('a');
const hint: TokenHint = { algorithm: 'RS256', iss: 'https://idp.example', kid: 'a' };

let directory: string;
let server: KeyServer;
let metrics: Metrics;
let nowMs: number;
const open: KeySets[] = [];

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'mcpgw-')), 'keys');
  server = await startKeyServer([publishKey(key)]);
  nowMs = 1_800_000_000_000;
});

afterEach(async () => {
  for (const sets of open.splice(0)) sets.stop();
  await server.stop();
  await rm(join(directory, '..'), { recursive: true });
});

const create = (allowPrivate = true): KeySets => {
  metrics = createMetrics('test');
  const sets = createKeySets({
    fetch: createEgressGuard({ allowPrivate, allowedHosts: [] }).fetch,
    store: createKeySetStore(directory),
    logger: createLogger('test', 'silent'),
    metrics,
    nowMs: () => nowMs,
    random: () => 0.5,
  });
  open.push(sets);
  return sets;
};

const issuer = (changes: Partial<TrustedIssuer> = {}): TrustedIssuer => oidcIssuer(server.url, changes);

const snapshotOf = (...issuers: TrustedIssuer[]): Snapshot => ({
  sequence: 1,
  tenants: [testTenant(issuers)],
});

const metricLines = async (name: string): Promise<string[]> =>
  (await metrics.render()).body.split('\n').filter((line) => line.startsWith(`mcpgw_${name}`));

const findingOf = async (sets: KeySets) => (await sets.find(issuer(), hint)).kind;

describe('createKeySets()', () => {
  it('fetches through the guard, once, and knows a revision', async () => {
    const sets = create();
    expect(sets.revision(issuer())).toBeUndefined();
    expect(await findingOf(sets)).toBe('found');
    expect(await findingOf(sets)).toBe('found');
    expect(server.hits).toBe(1);
    expect(sets.revision(issuer())).toMatch(/^[\w-]{43}$/);
    expect(await metricLines('jwks_fetches_total')).toEqual([
      'mcpgw_jwks_fetches_total{outcome="ok",service="test"} 1',
    ]);
  });

  it('asks nothing where the guard refuses the address', async () => {
    const sets = create(false);
    expect(await findingOf(sets)).toBe('unavailable');
    expect(server.hits).toBe(0);
    expect((await metricLines('jwks_fetches_total'))[0]).toContain('outcome="refused"');
  });

  it.each([
    ['an error status', { status: 500, body: '{"keys":[]}' }],
    ['a status that is no 200', { status: 206, body: '' }],
    ['a page', { status: 200, body: '<html></html>' }],
    ['an empty set', { status: 200, body: '{"keys":[]}' }],
    ['an endless answer', { status: 200, body: `{"keys":[],"x":"${'x'.repeat(600_000)}"}` }],
  ])('keeps the keys it has when the provider answers with %s', async (_title, answer) => {
    const sets = create();
    await findingOf(sets);
    server.answer = answer;
    nowMs += 3_600_000;
    await sets.refreshDue();
    expect(server.hits).toBe(2);
    expect(await findingOf(sets)).toBe('found');
    expect((await metricLines('jwks_fetches_total')).join()).toContain('outcome="failed"');
  });

  it('fetches the keys of a new snapshot ahead of the first call, and measures their age', async () => {
    const sets = create();
    sets.follow(snapshotOf(issuer()));
    await sets.refreshDue();
    expect(server.hits).toBe(1);
    const age = 'jwks_fetched_timestamp_seconds';
    expect(await metricLines(age)).toEqual([
      `mcpgw_${age}{tenant="default",issuer="oidc",service="test"} 1800000000`,
    ]);
    sets.follow(snapshotOf(issuer({ enabled: false })));
    expect(await metricLines(age)).toEqual([]);
    expect(sets.revision(issuer())).toBeUndefined();
  });

  it('survives a restart during an outage by its copy on disk', async () => {
    await findingOf(create());
    server.answer = { status: 503, body: '' };
    const restarted = create();
    expect(await findingOf(restarted)).toBe('found');
  });

  it('survives it too where the keys were found by discovery, for the issuer they were found for and no other', async () => {
    const { jwksUri: _, ...rest } = issuer();
    const discovered = { ...rest, discoveryUri: server.url };
    // One document that is both, since this server says the same at every path.
    const both = { issuer: discovered.issuer, jwks_uri: server.url, keys: [publishKey(key)] };
    server.answer = { status: 200, body: JSON.stringify(both) };
    expect((await create().find(discovered, hint)).kind).toBe('found');
    server.answer = { status: 503, body: '' };
    const restarted = create();
    expect((await restarted.find(discovered, hint)).kind).toBe('found');
    const another = { ...discovered, issuer: 'https://other.example' };
    expect((await restarted.find(another, hint)).kind).toBe('unavailable');
    expect(await findingOf(restarted)).toBe('unavailable');
  });

  it('writes public keys only, for its owner only', async () => {
    await findingOf(create());
    const [file] = await readdir(directory);
    const path = join(directory, file ?? '');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    const { keySet } = JSON.parse(await readFile(path, 'utf8')) as { keySet: { keys: object[] } };
    expect(keySet.keys).toEqual([expect.not.objectContaining({ d: expect.anything() })]);
  });

  it.each<[string, (path: string) => Promise<void>]>([
    ['that others may write', (path) => chmod(path, 0o666)],
    ['that is cut off', async (path) => writeFile(path, (await readFile(path, 'utf8')).slice(0, 100))],
    ['that is empty', (path) => writeFile(path, '')],
    [
      'of another address',
      async (path) => writeFile(path, (await readFile(path, 'utf8')).replace('127.0.0.1', '127.0.0.2')),
    ],
  ])('ignores a copy %s', async (_title, spoil) => {
    await findingOf(create());
    const [file] = await readdir(directory);
    await spoil(join(directory, file ?? ''));
    server.answer = { status: 503, body: '' };
    expect(await findingOf(create())).toBe('unavailable');
  });

  it('goes on when the disk does not', async () => {
    await writeFile(directory, 'a file where the directory should be');
    expect(await findingOf(create())).toBe('found');
  });
});
