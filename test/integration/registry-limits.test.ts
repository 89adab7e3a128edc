// Where a server's moving limits stand, over real HTTP: what xds-servers said, cut down to that server, and nothing of
// any other tenant's.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VersionPace } from '#core/pace.ts';
import type { ConsumerEntry } from '#registry/feed/consumer-board.ts';
import { startTestRegistry, type TestRegistry } from '#test/integration/registry-harness.ts';

const ADAPTIVE = { timeout: { minMs: 500, maxMs: 30_000 } };
const SERVER = {
  displayName: 'Tracker',
  allowedHosts: ['tracker.example.com'],
  upstreamAuth: { mode: 'none' },
  bindings: [{ issuerId: 'home', audiences: ['api://gateway'] }],
};
const ISSUER = {
  kind: 'oidc',
  issuer: 'https://login.example.com/',
  jwksUri: 'https://login.example.com/keys',
  algorithms: ['RS256'],
  relation: 'home',
};
const LAST_MOVE = { at: '2026-01-31T00:00:00.000Z', attempts: 40, errorRate: 0, p99Ms: 320 };

const paceOf = (tenantId: string, serverId: string, timeoutMs: number): VersionPace => ({
  tenantId,
  serverId,
  version: '1.0.0',
  pace: { timeoutMs },
  lastMove: LAST_MOVE,
});

const consumer = (name: string, connected: boolean, paces?: readonly VersionPace[]): ConsumerEntry => ({
  consumer: name,
  connected,
  since: '2026-01-30T00:00:00.000Z',
  sentSequence: 1,
  status: { sequence: 1, ...(paces === undefined ? {} : { paces }) },
  reportedAt: '2026-01-31T00:00:00.000Z',
});

describe('limits of a server', () => {
  let registry: TestRegistry;
  const limits = (id: string) => registry.call('GET', `/v1/tenants/acme/servers/${id}/limits`);

  beforeAll(async () => {
    registry = await startTestRegistry();
    const put = async (path: string, sent: object): Promise<void> => {
      const { status, body } = await registry.call('PUT', `/v1/tenants/acme${path}`, { body: sent });
      expect(status, JSON.stringify(body)).toBe(201);
    };
    await put('', { displayName: 'Acme', accessContact: '', fourEyes: false });
    await put('/issuers/home', ISSUER);
    await put('/servers/tracker', { ...SERVER, adaptive: ADAPTIVE });
    const bindings = [{ issuerId: 'home', audiences: ['api://plain'] }];
    await put('/servers/plain', { ...SERVER, bindings });
  });
  afterAll(() => registry.stop());

  it('are those that connected xds-servers said last, of this server of this tenant', async () => {
    registry.report([
      consumer('ext-authz/1', true),
      consumer('xds-server/1', true, [paceOf('acme', 'tracker', 960), paceOf('other', 'tracker', 700)]),
      consumer('xds-server/2', true, [paceOf('acme', 'other', 800), paceOf('acme', 'tracker', 1_500)]),
      consumer('xds-server/3', false, [paceOf('acme', 'tracker', 500)]),
    ]);
    const { status, body } = await limits('tracker');
    expect(status).toBe(200);
    const stands = (xdsServer: string, timeoutMs: number) => ({
      xdsServer,
      version: '1.0.0',
      pace: { timeoutMs },
      lastMove: LAST_MOVE,
    });
    expect(body).toEqual({
      adaptive: ADAPTIVE,
      items: [stands('xds-server/1', 960), stands('xds-server/2', 1_500)],
    });
  });

  it('are none of a server without bounds, and 404 for one that is not there', async () => {
    expect((await limits('plain')).body).toEqual({ items: [] });
    expect((await limits('nowhere')).status).toBe(404);
  });
});
