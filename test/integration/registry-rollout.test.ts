// Asking how far a revision has come, over real HTTP on a real store; what consumers report is said by the test.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ConsumerEntry } from '#registry/feed/consumer-board.ts';
import { startTestRegistry, type TestRegistry } from '#test/integration/registry-harness.ts';

const SETTINGS = { displayName: 'Acme', accessContact: 'admin@acme.example', allowedOrigins: [] };
const TYPE_URL = 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration';

let registry: TestRegistry;
let count = 0;
let tenant = '';

beforeAll(async () => {
  registry = await startTestRegistry();
});
afterAll(() => registry.stop());
beforeEach(async () => {
  tenant = `acme-${++count}`;
  await registry.call('PUT', `/v1/tenants/${tenant}`, { body: SETTINGS });
  await registry.call('PATCH', `/v1/tenants/${tenant}`, {
    body: { displayName: 'Acme Inc.' },
    headers: { 'if-match': '"1"' },
  });
});

const reporting = (sequence: number, rejected: readonly object[] = []): ConsumerEntry => ({
  consumer: 'xds-server',
  connected: true,
  since: new Date().toISOString(),
  sentSequence: sequence,
  status: {
    sequence,
    nodes: [{ nodeId: 'edge-1', acknowledgedSequence: sequence, rejected: rejected as [] }],
  },
  reportedAt: new Date().toISOString(),
});

const rollout = (revision: number) => registry.call('GET', `/v1/tenants/${tenant}/rollout/${revision}`);

describe('GET …/rollout/{revision}', () => {
  it('is pending until the commit of the revision is reported, then applied, node by node', async () => {
    const sequence = await registry.store.lastSequence();
    registry.consumers = [reporting(sequence - 1)];
    expect((await rollout(2)).body).toMatchObject({ tenant, revision: 2, sequence, state: 'pending' });
    expect((await rollout(1)).body).toMatchObject({ sequence: sequence - 1, state: 'applied' });
    registry.consumers = [reporting(sequence)];
    const node = { nodeId: 'edge-1', acknowledgedSequence: sequence, state: 'applied', rejected: [] };
    expect((await rollout(2)).body).toMatchObject({
      state: 'applied',
      consumers: [{ consumer: 'xds-server', connected: true, sequence, state: 'applied', nodes: [node] }],
    });
  });

  it('says what an Envoy refused of this tenant, and nothing of another', async () => {
    const upTo = await registry.store.lastSequence();
    const refused = (tenantId: string) => ({
      typeUrl: TYPE_URL,
      resource: `tenant/${tenantId}`,
      tenantId,
      message: `no domains in tenant/${tenantId}`,
      arrived: { after: upTo - 1, upTo },
    });
    registry.consumers = [reporting(upTo, [refused(tenant), refused('other-tenant')])];
    const answer = await rollout(2);
    expect(answer.body).toMatchObject({
      state: 'rejected',
      consumers: [{ nodes: [{ rejected: [{ resource: `tenant/${tenant}`, broughtBy: 'this-revision' }] }] }],
    });
    expect(JSON.stringify(answer.body)).not.toContain('other-tenant');
    expect((await rollout(1)).body).toMatchObject({ state: 'applied' });
  });

  it('knows the revision that removed a tenant', async () => {
    await registry.call('DELETE', `/v1/tenants/${tenant}`, { headers: { 'if-match': '"2"' } });
    registry.consumers = [reporting(await registry.store.lastSequence())];
    expect((await rollout(3)).body).toMatchObject({ revision: 3, state: 'applied' });
  });

  it('is not there for a revision that is not', async () => {
    expect((await rollout(3)).status).toBe(404);
    expect((await registry.call('GET', '/v1/tenants/nobody/rollout/1')).status).toBe(404);
  });
});
