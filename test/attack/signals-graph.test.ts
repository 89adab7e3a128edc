// Who would pass for Microsoft Graph at the receiver: forged and foreign notifications, and a handshake as a mirror.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  notification,
  openGraphChannel,
  type SignalWorld,
  startSignalWorld,
  tell,
  watchedDirectory,
} from '#test/support/signal-world.ts';
import { OTHER_TID } from '#test/support/token-issuer.ts';

const OID = '44444444-4444-4444-8444-444444444444';

let world: SignalWorld;
let clientState = '';
let sequence = 0;

beforeAll(async () => {
  world = await startSignalWorld();
  clientState = await openGraphChannel(world, 'acme');
});

afterAll(() => world?.stop());

beforeEach(async () => {
  world.outcomes.length = 0;
  sequence = await world.registry.store.lastSequence();
});

const deleted = (changes: object = {}) =>
  notification({ clientState, changeType: 'deleted', resource: `users/${OID}`, ...changes });

const expectNothingHappened = async () => {
  for (const tenant of ['acme', 'beta']) expect(await world.marks(tenant)).toEqual([]);
  expect(await world.registry.store.lastSequence()).toBe(sequence);
};

describe('a notification', () => {
  it.each<[string, () => object, string]>([
    ['with a guessed client state', () => deleted({ clientState: 'x'.repeat(43) }), 'forged'],
    ['with an empty client state', () => deleted({ clientState: '' }), 'forged'],
    ['with a client state that goes on', () => deleted({ clientState: `${clientState}x` }), 'forged'],
    ['without client state', () => deleted({ clientState: undefined }), 'unreadable'],
    ['whose client state is a list', () => deleted({ clientState: [clientState] }), 'unreadable'],
    ['of a directory the issuer does not have', () => deleted({ tenantId: OTHER_TID }), 'foreign'],
    ['of no directory', () => deleted({ tenantId: undefined }), 'unreadable'],
    ['of a directory by name', () => deleted({ tenantId: 'common' }), 'unreadable'],
    ['of a group', () => deleted({ resource: `groups/${OID}` }), 'unreadable'],
    ['of a path that climbs', () => deleted({ resource: `users/../${OID}` }), 'unreadable'],
    ['of a person with a tail', () => deleted({ resource: `users/${OID}/manager` }), 'unreadable'],
    ['of another change', () => deleted({ changeType: 'created' }), 'unreadable'],
    [
      'of a key of every object',
      () => notification({ clientState, lifecycleEvent: 'constructor' }),
      'unreadable',
    ],
    ['without subscription', () => deleted({ subscriptionId: undefined }), 'unreadable'],
  ])('%s is nothing', async (_title, make, outcome) => {
    expect((await tell(world, [make()])).status).toBe(403);
    expect(world.outcomes[0]).toBe(outcome);
    await expectNothingHappened();
  });

  it('with the client state of another tenant is nothing here', async () => {
    const foreign = await openGraphChannel(world, 'beta');
    expect(foreign).not.toBe(clientState);
    expect((await tell(world, [deleted({ clientState: foreign })])).status).toBe(403);
    await expectNothingHappened();
  });

  it('is told apart by nothing that goes to a log', async () => {
    await tell(world, [
      deleted({ clientState: 'a-guess-that-is-no-secret' }),
      deleted({ tenantId: OTHER_TID }),
    ]);
    const written = world.registry.logLines.join('');
    expect(written).not.toContain('a-guess');
    expect(written).not.toContain(clientState);
  });

  it('that is forged does not take the honest ones beside it along', async () => {
    const answer = await tell(world, [
      deleted({ clientState: 'forged' }),
      notification({ clientState, lifecycleEvent: 'missed' }),
    ]);
    expect(answer.status).toBe(202);
    expect(world.outcomes.slice(0, 2)).toEqual(['forged', 'missed']);
    expect(await world.marks()).toEqual([]);
  });

  it.each<[string, string, number]>([
    ['no JSON', '{"value":[', 400],
    ['a list', '[]', 400],
    ['no list', '{"value":{}}', 400],
    ['more than Graph ever sends', JSON.stringify({ value: Array(1_001).fill({}) }), 400],
    ['nothing at all', '{"value":[]}', 403],
    ['a body without end', `{"value":["${'x'.repeat(1_100_000)}"]}`, 413],
  ])('that is %s is not taken', async (_title, body, status) => {
    const headers = { 'content-type': 'application/json' };
    expect((await world.push(body, { issuer: 'entra', path: 'graph', headers })).status).toBe(status);
    await expectNothingHappened();
  });

  it('to an issuer that asked for none meets nobody', async () => {
    await world.configure('beta', 'entra', watchedDirectory({ notifications: false }));
    sequence = await world.registry.store.lastSequence();
    expect((await tell(world, [deleted()], { tenant: 'beta' })).status).toBe(404);
    expect((await world.push('{}', { issuer: 'home', path: 'graph' })).status).toBe(404);
    await expectNothingHappened();
  });
});

describe('the handshake', () => {
  const shake = (query: string, issuer = 'entra') =>
    fetch(`${world.url()}/v1/signals/acme/${issuer}/graph?${query}`, { method: 'POST' });

  it('is no mirror for scripts', async () => {
    const answer = await shake(`validationToken=${encodeURIComponent('<script>alert(1)</script>')}`);
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox");
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it.each([
    ['of nothing', 'validationToken='],
    ['without end', `validationToken=${'x'.repeat(5_000)}`],
    ['said twice', 'validationToken=a&validationToken=b'],
  ])('%s is refused, and nothing of it comes back', async (_title, query) => {
    const answer = await shake(query);
    expect([answer.status, await answer.text()]).toEqual([400, '']);
  });

  it('is for issuers that asked for notifications, and by POST', async () => {
    expect((await shake('validationToken=a', 'home')).status).toBe(404);
    const got = await fetch(`${world.url()}/v1/signals/acme/entra/graph?validationToken=a`);
    expect([got.status, await got.text()]).toEqual([404, '']);
  });

  it('opens nothing for a body beside it', async () => {
    const body = JSON.stringify({ value: [deleted()] });
    const headers = { 'content-type': 'application/json' };
    await world.push(body, { issuer: 'entra', path: 'graph?validationToken=a', headers });
    await expectNothingHappened();
  });
});
