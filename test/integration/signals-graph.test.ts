// Change and lifecycle notifications of Microsoft Graph from its POST to the mark or the hint on the feed.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GatewayError } from '#core/gateway-error.ts';
import { createChannelAnswers } from '#registry/signals/open-channel.ts';
import { SIGNALS_URL } from '#test/integration/registry-harness.ts';
import { TEST_AUDIT } from '#test/support/audit-secrets.ts';
import {
  DIRECTORY,
  notification,
  openGraphChannel,
  type SignalWorld,
  startSignalWorld,
  tell,
  watchedDirectory,
} from '#test/support/signal-world.ts';

const OID = '44444444-4444-4444-8444-444444444444';
const OTHER = '55555555-5555-4555-8555-555555555555';

let world: SignalWorld;
let clientState = '';

beforeAll(async () => {
  world = await startSignalWorld();
  clientState = await openGraphChannel(world, 'acme');
});

afterAll(() => world?.stop());

beforeEach(() => {
  world.outcomes.length = 0;
});

const eventsAfter = async (sequence: number) => {
  const { items } = await world.registry.store.readAfter(sequence, 100, sequence);
  return items.flatMap((item) => (item.kind === 'event' ? [item.event] : []));
};

const updated = (oid: string, changes: object = {}) =>
  notification({ clientState, changeType: 'updated', resource: `Users/${oid}`, ...changes });

describe('whoever orders notifications', () => {
  const open = createChannelAnswers({
    store: { findTenant: (tenant) => world.registry.store.findTenant(tenant) },
    keys: TEST_AUDIT.keys,
    publicUrl: SIGNALS_URL,
  });

  it('is told where they are to be sent, and the same after every start', async () => {
    const asked = await open({ tenantId: 'acme', issuerId: 'entra' });
    expect(asked).toMatchObject({
      ok: true,
      value: { notificationUrl: `${SIGNALS_URL}/v1/signals/acme/entra/graph` },
    });
    expect(asked.ok && asked.value.clientState.reveal()).toBe(clientState);
  });

  it.each([
    ['an issuer without', { tenantId: 'acme', issuerId: 'home' }],
    ['an issuer nobody has', { tenantId: 'acme', issuerId: 'nobody' }],
    ['a tenant nobody has', { tenantId: 'nobody', issuerId: 'entra' }],
  ])('is told nothing for %s', async (_title, question) => {
    expect(await open(question)).toEqual({ ok: false, error: 'unknown' });
  });

  it('is told nothing where nobody listens', async () => {
    const { store } = world.registry;
    const off = createChannelAnswers({ store, keys: TEST_AUDIT.keys, publicUrl: undefined });
    expect(await off({ tenantId: 'acme', issuerId: 'entra' })).toEqual({ ok: false, error: 'off' });
  });
});

describe('the handshake', () => {
  it('sends back what Graph sent, decoded, as plain text', async () => {
    const token = 'Validation: Testing client application reachability for: 8a+b & <c>';
    const url = new URL(`${world.url()}/v1/signals/acme/entra/graph`);
    url.searchParams.set('validationToken', token);
    const headers = { 'content-type': 'text/plain; charset=utf-8' };
    for (const init of [{ method: 'POST' }, { method: 'POST', headers, body: '' }]) {
      const answer = await fetch(url, init);
      expect([answer.status, await answer.text()]).toEqual([200, token]);
      expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    }
  });
});

describe('a notification', () => {
  it('of people who changed asks whoever watches to look at them, each once', async () => {
    const before = await world.registry.store.lastSequence();
    const again = [updated(OID), updated(OTHER), updated(OID.toUpperCase())];
    expect((await tell(world, again)).status).toBe(202);
    expect(await eventsAfter(before)).toMatchObject([
      { kind: 'look-at-users', tenantId: 'acme', issuerId: 'entra', tid: DIRECTORY, oids: [OID, OTHER] },
    ]);
    expect(await world.marks()).toEqual([]);
  });

  it('of a thousand people is a few hints', async () => {
    const before = await world.registry.store.lastSequence();
    const people = Array.from({ length: 1_000 }, (_, n) =>
      updated(`44444444-4444-4444-8444-${String(n).padStart(12, '0')}`),
    );
    expect((await tell(world, people)).status).toBe(202);
    const events = await eventsAfter(before);
    expect(events.map((event) => event.kind === 'look-at-users' && event.oids.length)).toEqual([500, 500]);
  });

  it('of a person who is gone is a mark', async () => {
    const changes = { changeType: 'deleted' };
    expect((await tell(world, [updated(OID, changes)])).status).toBe(202);
    const [mark] = await world.marks();
    expect(mark).toMatchObject({
      target: { kind: 'directory-user', tid: DIRECTORY, oid: OID },
      source: 'graph',
    });
    expect(Math.abs((mark?.notBefore ?? 0) - Date.now() / 1_000)).toBeLessThan(60);
  });

  it('of more people who are gone than can be marked in time has the others looked at', async () => {
    const marks = (await world.registry.store.listRevocations('acme', { limit: 1_000 })).length;
    const before = await world.registry.store.lastSequence();
    const people = Array.from({ length: 130 }, (_, n) =>
      updated(`66666666-6666-4666-8666-${String(n).padStart(12, '0')}`, { changeType: 'deleted' }),
    );
    expect((await tell(world, people)).status).toBe(202);
    const after = await world.registry.store.listRevocations('acme', { limit: 1_000 });
    expect(after.length - marks).toBe(100);
    const events = await eventsAfter(before + 100);
    expect(events.map((event) => event.kind === 'look-at-users' && event.oids.length)).toEqual([30]);
  });

  it.each([
    ['reauthorizationRequired', 'renew-subscription'],
    ['subscriptionRemoved', 'renew-subscription'],
    ['missed', 'sweep-now'],
  ])('that says %s is %s for whoever watches', async (lifecycleEvent, kind) => {
    const before = await world.registry.store.lastSequence();
    expect((await tell(world, [notification({ clientState, lifecycleEvent })])).status).toBe(202);
    expect(await eventsAfter(before)).toMatchObject([{ kind, issuerId: 'entra', tid: DIRECTORY }]);
  });

  it('shows that the channel works', async () => {
    const channels = await world.registry.store.listSignalChannels();
    expect(channels).toMatchObject([{ tenantId: 'acme', issuerId: 'entra', channel: 'graph' }]);
  });

  it('that cannot be stored is to come again', async () => {
    world.record = () => Promise.reject(new GatewayError('store_failed', 'disk full'));
    const answer = await tell(world, [updated(OID, { changeType: 'deleted' })]);
    expect(answer.status).toBe(503);
    world.record = world.registry.context.recordRevocation;
  });

  it('for the application that watched before is believed no more', async () => {
    await world.configure('beta', 'entra', watchedDirectory());
    const old = await openGraphChannel(world, 'beta');
    await world.configure('beta', 'entra', watchedDirectory({ clientId: 'another' }));
    expect((await tell(world, [updated(OID, { clientState: old })], { tenant: 'beta' })).status).toBe(403);
  });
});
