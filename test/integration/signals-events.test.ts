// Shared Signals from the transmitter's POST to the mark: what each event ends, whom it is about, from when on.

import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GatewayError } from '#core/gateway-error.ts';
import { addressesOf } from '#registry/signals/channel-address.ts';
import { SIGNALS_URL } from '#test/integration/registry-harness.ts';
import {
  IDP,
  refusalOf,
  type SignalWorld,
  SUBJECT,
  sharedSignals,
  startSignalWorld,
} from '#test/support/signal-world.ts';
import { CAEP, RISC, SSF } from '#test/support/ssf-transmitter.ts';

let world: SignalWorld;
let marked = 0;

beforeAll(async () => {
  world = await startSignalWorld();
});

afterAll(() => world?.stop());

beforeEach(() => {
  world.outcomes.length = 0;
});

afterEach(async () => {
  world.laterMs = 0;
  world.record = world.registry.context.recordRevocation;
  await world.configure('acme', 'home', sharedSignals(world.transmitter));
});

/** A subject nobody has spoken of before. */
const somebody = () => ({ format: 'iss_sub', iss: IDP, sub: `person-${++marked}` });

const nowSeconds = () => Math.floor((Date.now() + world.laterMs) / 1_000);

const send = async (event: string, payload: object, claims: object = {}) =>
  world.push(await world.transmitter.sign(event, payload, { claims }));

const targetsSince = async (count: number) =>
  (await world.marks()).slice(0, (await world.marks()).length - count).map(({ target }) => target);

describe('a session that was revoked', () => {
  it('is a mark of the time it was revoked at, on record before the answer', async () => {
    const subject = somebody();
    const at = nowSeconds() - 90;
    const answer = await send(`${CAEP}/session-revoked`, { event_timestamp: at }, { sub_id: subject });
    expect([answer.status, await answer.text()]).toEqual([202, '']);
    expect((await world.marks())[0]).toMatchObject({
      target: { kind: 'subject', issuerId: 'home', subject: subject.sub },
      notBefore: at + 1,
      source: 'shared-signals',
      reason: 'the identity provider says session-revoked',
    });
    expect(world.outcomes).toEqual(['ended', 'shared-signals accepted']);
  });

  it.each<[string, object, object, (now: number) => number]>([
    ['in milliseconds, as drafts had it', { event_timestamp: 'MS' }, {}, (now) => now - 90 + 1],
    ['by the token’s time of event', {}, { toe: 'AT' }, (now) => now - 90 + 1],
    ['by the token’s time', {}, {}, (now) => now + 1],
    ['never later than now', { event_timestamp: 99_999_999_999 }, {}, (now) => now + 1],
    ['and no nonsense', { event_timestamp: -5 }, {}, (now) => now + 1],
  ])('counts from its time %s', async (_title, payload, claims, expected) => {
    const now = nowSeconds();
    const filled = (values: object) =>
      Object.fromEntries(
        Object.entries(values).map(([name, value]) => [
          name,
          value === 'MS' ? (now - 90) * 1_000 : value === 'AT' ? now - 90 : value,
        ]),
      );
    const sub_id = somebody();
    expect(
      (await send(`${CAEP}/session-revoked`, filled(payload), { iat: now, ...filled(claims), sub_id }))
        .status,
    ).toBe(202);
    const [mark] = await world.marks();
    expect(mark?.target).toMatchObject({ subject: sub_id.sub });
    expect(Math.abs((mark?.notBefore ?? 0) - expected(now))).toBeLessThanOrEqual(2);
  });

  it('so long ago that nothing from before it lives is taken and ends nothing', async () => {
    const before = (await world.marks()).length;
    const claims = { sub_id: somebody() };
    expect((await send(`${CAEP}/session-revoked`, { event_timestamp: 1_000_000 }, claims)).status).toBe(202);
    expect(world.outcomes).toEqual(['past', 'shared-signals accepted']);
    expect(await targetsSince(before)).toEqual([]);
  });
});

describe('the subject', () => {
  const subject = (sub: string) => ({ kind: 'subject', issuerId: 'home', subject: sub });

  it.each<[string, object, object[]]>([
    ['by issuer', { format: 'iss_sub', iss: IDP, sub: 'a-1' }, [subject('a-1')]],
    [
      'by the transmitter’s own name',
      { format: 'iss_sub', iss: 'https://ssf.example.com', sub: 'a-2' },
      [subject('a-2')],
    ],
    ['opaque', { format: 'opaque', id: 'a-3' }, [subject('a-3')]],
    [
      'as the token of a session',
      { format: 'jwt_id', iss: IDP, jti: 'token-7' },
      [{ kind: 'token', issuerId: 'home', tokenId: 'token-7' }],
    ],
    [
      'complex: the user, whatever device or session',
      {
        format: 'complex',
        user: { format: 'iss_sub', iss: IDP, sub: 'a-4' },
        session: { format: 'opaque', id: 's' },
        tenant: { format: 'opaque', id: 't' },
      },
      [subject('a-4')],
    ],
    [
      'of a draft, without a format',
      { user: { subject_type: 'iss-sub', iss: IDP, sub: 'a-5' } },
      [subject('a-5')],
    ],
    [
      'by aliases, of which those count that identify',
      {
        format: 'aliases',
        identifiers: [
          { format: 'email', email: 'a@example.com' },
          { format: 'iss_sub', iss: IDP, sub: 'a-6' },
        ],
      },
      [subject('a-6')],
    ],
  ])('is known %s', async (_title, sub_id, targets) => {
    const before = (await world.marks()).length;
    expect((await send(`${CAEP}/session-revoked`, {}, { sub_id })).status).toBe(202);
    expect(await targetsSince(before)).toEqual(targets);
  });

  it.each<[string, object | undefined]>([
    ['an e-mail address', { format: 'email', email: 'mallory@example.com' }],
    ['a telephone number', { format: 'phone_number', phone_number: '+12065550100' }],
    ['another issuer’s', { format: 'iss_sub', iss: 'https://other.example.com', sub: 'mallory' }],
    ['a session alone', { format: 'complex', session: { format: 'opaque', id: 's' } }],
    ['a whole tenant', { format: 'complex', tenant: { format: 'opaque', id: 't' } }],
    ['a name with a blank', { format: 'opaque', id: ' mallory' }],
    ['a name without end', { format: 'opaque', id: 'm'.repeat(513) }],
    ['a key of every object', { format: 'constructor', id: 'mallory' }],
    ['nobody', undefined],
  ])('that is %s names nobody: taken, counted, and nothing ends', async (_title, sub_id) => {
    const before = (await world.marks()).length;
    expect((await send(`${CAEP}/session-revoked`, {}, { sub_id })).status).toBe(202);
    expect(world.outcomes).toEqual(['unidentified', 'shared-signals accepted']);
    expect(await targetsSince(before)).toEqual([]);
  });

  it('inside the event counts as well, as CAEP’s drafts had it', async () => {
    const { sub } = somebody();
    await send(`${CAEP}/session-revoked`, { subject: { format: 'opaque', id: sub } }, { sub_id: undefined });
    expect((await world.marks())[0]?.target).toEqual(subject(sub));
  });

  it('of an Entra issuer is a person of the directory where both are said', async () => {
    const { signals } = sharedSignals(world.transmitter) as { signals: object };
    await world.configure('acme', 'entra', {
      kind: 'entra',
      issuer: 'https://login.example.com/{tenantid}/v2.0',
      relation: 'home',
      directoryTenants: ['11111111-1111-4111-8111-111111111111'],
      signals,
    });
    const aud = addressesOf(SIGNALS_URL, 'acme', 'entra').events;
    const oid = '44444444-4444-4444-8444-444444444444';
    const about = (tid: string) => ({
      format: 'complex',
      user: { format: 'opaque', id: oid.toUpperCase() },
      tenant: { format: 'opaque', id: tid },
    });
    const claims = { aud, sub_id: about('11111111-1111-4111-8111-111111111111') };
    const token = await world.transmitter.sign(`${CAEP}/session-revoked`, {}, { claims });
    expect((await world.push(token, { issuer: 'entra' })).status).toBe(202);
    expect((await world.marks())[0]?.target).toEqual({
      kind: 'directory-user',
      tid: '11111111-1111-4111-8111-111111111111',
      oid,
    });
  });
});

describe('an event', () => {
  it.each<[string, object]>([
    [`${CAEP}/token-claims-change`, { claims: { role: 'ro-admin' } }],
    [`${CAEP}/credential-change`, { credential_type: 'password', change_type: 'update' }],
    [`${CAEP}/credential-change`, { credential_type: 'fido2-roaming', change_type: 'revoke' }],
    [`${CAEP}/credential-change`, { credential_type: 'fido2-roaming', change_type: 'delete' }],
    [`${CAEP}/assurance-level-change`, { current_level: 'nist-aal1', change_direction: 'decrease' }],
    [`${CAEP}/assurance-level-change`, { current_level: 'nist-aal1' }],
    [`${CAEP}/device-compliance-change`, { previous_status: 'compliant', current_status: 'not-compliant' }],
    [`${CAEP}/risk-level-change`, { principal: 'USER', current_level: 'HIGH' }],
    [`${RISC}/account-disabled`, { reason: 'hijacking' }],
    [`${RISC}/account-purged`, {}],
    [`${RISC}/account-credential-change-required`, {}],
    [`${RISC}/credential-compromise`, { credential_type: 'password' }],
    [`${RISC}/sessions-revoked`, {}],
  ])('%s %j ends what its subject holds', async (event, payload) => {
    const sub_id = somebody();
    expect((await send(event, payload, { sub_id })).status).toBe(202);
    expect((await world.marks())[0]?.target).toMatchObject({ subject: sub_id.sub });
  });

  it.each<[string, object, string]>([
    [`${CAEP}/credential-change`, { credential_type: 'pin', change_type: 'create' }, 'nothing'],
    [`${CAEP}/assurance-level-change`, { change_direction: 'increase' }, 'nothing'],
    [`${CAEP}/device-compliance-change`, { current_status: 'compliant' }, 'nothing'],
    [`${CAEP}/risk-level-change`, { current_level: 'LOW' }, 'nothing'],
    [`${CAEP}/session-established`, {}, 'nothing'],
    [`${RISC}/account-enabled`, {}, 'nothing'],
    [`${CAEP}/constructor`, {}, 'unknown'],
    ['https://acme.example/events/birthday', {}, 'unknown'],
  ])('%s %j is taken, counted, and ends nothing', async (event, payload, outcome) => {
    const before = (await world.marks()).length;
    expect((await send(event, payload)).status).toBe(202);
    expect(world.outcomes).toEqual([outcome, 'shared-signals accepted']);
    expect(await targetsSince(before)).toEqual([]);
  });

  it('by an alternative name beside its own is one token', async () => {
    const before = (await world.marks()).length;
    const sub_id = somebody();
    const events = { [`${CAEP}/session-revoked`]: {}, 'https://acme.example/session-over': {} };
    expect((await send('', {}, { sub_id, events })).status).toBe(202);
    expect((await targetsSince(before)).length).toBe(1);
  });
});

describe('the stream', () => {
  const stream = () =>
    world.registry.store.listSignalChannels().then((all) => all.find(({ tenantId }) => tenantId === 'acme'));

  it('is verified, with the state that was asked for', async () => {
    const sub_id = { format: 'opaque', id: 'stream-1' };
    expect((await send(`${SSF}/verification`, { state: 'VGhpcyBpcyBhbg' }, { sub_id })).status).toBe(202);
    const known = await stream();
    expect(known).toMatchObject({ channel: 'shared-signals', verifiedState: 'VGhpcyBpcyBhbg' });
    expect(Math.abs((known?.verifiedAtMs ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  it('is known to be paused, and to work again', async () => {
    await send(`${SSF}/stream-updated`, { status: 'paused', reason: 'maintenance' });
    expect(await stream()).toMatchObject({ streamStatus: 'paused' });
    await send(`${SSF}/stream-updated`, { status: 'enabled' });
    expect(await stream()).toMatchObject({ streamStatus: 'enabled' });
  });

  it('is not kept alive by what was heard before', async () => {
    const token = await world.transmitter.sign(`${SSF}/verification`, { state: 'once' });
    await world.push(token);
    const first = await stream();
    world.laterMs = 60_000;
    expect((await world.push(token)).status).toBe(202);
    expect(await stream()).toEqual(first);
    expect(world.outcomes.at(-1)).toBe('shared-signals repeated');
  });
});

describe('what the API shows of an issuer’s channels', () => {
  const shown = async (tenant: string, issuer: string) =>
    (await world.registry.call('GET', `/v1/tenants/${tenant}/issuers/${issuer}/signals`)).body.items;

  it('is where each listens, and when it was last heard of', async () => {
    await send(`${SSF}/verification`, { state: 'asked-for' });
    await send(`${SSF}/stream-updated`, { status: 'enabled' });
    expect(await shown('acme', 'home')).toEqual([
      {
        channel: 'shared-signals',
        address: `${SIGNALS_URL}/v1/signals/acme/home/events`,
        heardAt: expect.any(String),
        verifiedAt: expect.any(String),
        verifiedState: 'asked-for',
        streamStatus: 'enabled',
        stale: false,
      },
    ]);
    expect(await shown('beta', 'entra')).toEqual([
      { channel: 'graph', address: `${SIGNALS_URL}/v1/signals/beta/entra/graph`, stale: false },
    ]);
    expect(await shown('acme', 'quiet')).toEqual([]);
  });

  it('is a stale one where nothing was ever heard, if it may not be quiet', async () => {
    await world.configure('beta', 'home', sharedSignals(world.transmitter, { maxQuietSeconds: 3_600 }));
    expect(await shown('beta', 'home')).toMatchObject([{ stale: true }]);
    await world.configure('beta', 'home', sharedSignals(world.transmitter));
  });

  it('is nothing for an issuer that is not there', async () => {
    const answer = await world.registry.call('GET', '/v1/tenants/acme/issuers/nobody/signals');
    expect(answer.status).toBe(404);
  });
});

describe('an address that is none', () => {
  it.each(['/', '/v1/signals/acme/home/else', '/v1/signals/acme/nobody/events'])(
    'is answered alike, whatever comes to it: %s',
    async (path) => {
      const sent = [
        ['application/json', 'no JSON'],
        ['application/json', '{}'],
        ['application/secevent+jwt', 'no token'],
        ['text/plain', 'a'.repeat(2 * 1024 * 1024)],
      ] as const;
      const answers = await Promise.all(
        sent.map(([type, body]) =>
          fetch(world.url() + path, { method: 'POST', headers: { 'content-type': type }, body }),
        ),
      );
      expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
    },
  );
});

describe('a token that comes again', () => {
  it('is answered as the first time and does nothing, also later', async () => {
    const sub_id = somebody();
    const token = await world.transmitter.sign(`${CAEP}/session-revoked`, {}, { claims: { sub_id } });
    expect((await world.push(token)).status).toBe(202);
    const marks = await world.marks();
    world.laterMs = 3_600_000;
    expect((await world.push(token)).status).toBe(202);
    expect(await world.marks()).toEqual(marks);
    expect(world.outcomes).toEqual(['ended', 'shared-signals accepted', 'shared-signals repeated']);
  });

  it('because its mark could not be stored is taken then', async () => {
    const sub_id = somebody();
    const token = await world.transmitter.sign(`${CAEP}/session-revoked`, {}, { claims: { sub_id } });
    world.record = () => Promise.reject(new GatewayError('store_failed', 'disk full'));
    const refused = await world.push(token);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    world.record = world.registry.context.recordRevocation;
    expect((await world.push(token)).status).toBe(202);
    expect((await world.marks())[0]?.target).toMatchObject({ subject: sub_id.sub });
  });
});

describe('while the store is away', () => {
  it('nothing is taken and nothing lost: it is to come again', async () => {
    world.isStoreAway = true;
    const token = await world.transmitter.sign(
      `${CAEP}/session-revoked`,
      {},
      { claims: { sub_id: somebody() } },
    );
    const answers = [await world.push(token), await world.push('{}', { issuer: 'entra', path: 'graph' })];
    world.isStoreAway = false;
    expect(answers.map(({ status }) => status)).toEqual([503, 503]);
    expect((await world.push(token)).status).toBe(202);
    expect(world.outcomes).toEqual(['ended', 'shared-signals accepted']);
  });
});

describe('a transmitter that must send a bearer token', () => {
  const SECRET = 'the transmitter’s own word';

  beforeEach(async () => {
    await world.configure(
      'acme',
      'home',
      sharedSignals(world.transmitter, { authorizationSecretName: 'ssf' }),
    );
    await mkdir(join(world.secretsDirectory, 'acme'), { recursive: true });
    await writeFile(
      join(world.secretsDirectory, 'acme', 'ssf'),
      `${Buffer.from(SECRET).toString('base64url')}\n`,
      { mode: 0o600 },
    );
  });

  const pushWith = async (authorization: string | undefined) =>
    world.push(await world.transmitter.sign(`${CAEP}/session-revoked`, {}, { claims: { sub_id: SUBJECT } }), {
      headers: authorization === undefined ? {} : { authorization },
    });

  it('is taken with it, and with nothing else', async () => {
    expect((await pushWith(`Bearer ${Buffer.from(SECRET).toString('base64url')}`)).status).toBe(202);
    for (const wrong of [undefined, 'Bearer ', 'Bearer x', 'Basic eDp5'])
      expect(await refusalOf(await pushWith(wrong)), wrong).toEqual([400, 'authentication_failed']);
  });

  it('is told to come again while the secret cannot be read here, so that nothing is lost', async () => {
    await chmod(join(world.secretsDirectory, 'acme', 'ssf'), 0o644);
    expect((await pushWith('Bearer x')).status).toBe(503);
  });
});
