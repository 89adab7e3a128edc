// A directory watched through Graph: real application tokens through the real MSAL and egress guard, and a Graph that
// checks what it is shown. Whoever is disabled, gone or signed out there holds no good token here.

import { beforeEach, describe, expect, it } from 'vitest';
import { err, ok } from '#core/result.ts';
import { Secret } from '#core/secret.ts';
import { CONTOSO_TID, DIRECTORIES } from '#demo/directory.ts';
import { createAskGraph } from '#ext-authz/graph/ask-graph.ts';
import { type ActivePeople, createActivePeople } from '#ext-authz/revocation/active-people.ts';
import { createGraphChannel, type GraphChannel } from '#ext-authz/revocation/graph-channel.ts';
import { createEgressGuard } from '#runtime/egress-guard.ts';
import { graphToken } from '#test/support/graph-token.ts';
import { passwordForm, requestToken, startTokenWorld, type TokenWorld } from '#test/support/token-world.ts';

const NOW = Math.floor(Date.now() / 1000);
const users = DIRECTORIES.find(({ tid }) => tid === CONTOSO_TID)?.users ?? [];
const oidOf = (name: string): string => users.find((user) => user.name === name)?.oid ?? '';

let world: TokenWorld;
let people: ActivePeople;
let channel: GraphChannel;
let marks: { oid: string; notBefore: number; because: string }[];
let canReport: boolean;
let token: () => Promise<Secret>;

const openChannel = (options: { maxDue?: number } = {}): GraphChannel =>
  createGraphChannel({
    ...options,
    ask: createAskGraph(createEgressGuard({ allowPrivate: true, allowedHosts: [] }).fetch),
    graphUrl: world.provider.origin,
    acquireToken: async () => ok(await token()),
    people,
    report: async (oid, mark) => {
      if (canReport) marks.push({ oid, ...mark });
      return canReport;
    },
  });

const control = () => world.provider.control;

beforeEach(async () => {
  world = await startTokenWorld();
  people = createActivePeople();
  marks = [];
  canReport = true;
  token = () => graphToken(world.provider);
  channel = openChannel();
  for (const name of ['alice', 'bob'])
    people.note({ oid: oidOf(name), issuedAt: NOW - 100, expiresAt: NOW + 3_000 });
  return () => world.stop();
});

describe('a directory watched through Graph', () => {
  it('ends nothing while nobody changes', async () => {
    expect(await channel.round(NOW)).toEqual(ok(true));
    expect(await channel.round(NOW)).toEqual(ok(true));
    expect(marks).toEqual([]);
  });

  it('ends the tokens of whoever is disabled, once', async () => {
    await channel.round(NOW);
    control().world.setEnabled('bob', false);
    expect(await channel.round(NOW + 1)).toEqual(ok(true));
    expect(await channel.round(NOW + 2)).toEqual(ok(true));
    expect(marks).toEqual([{ oid: oidOf('bob'), notBefore: NOW + 1, because: 'the account was disabled' }]);
  });

  it('ends the tokens from before a sign-out everywhere, and none from after it', async () => {
    control().world.revokeSessions('alice', NOW - 50);
    control().world.revokeSessions('bob', NOW - 150);
    expect(await channel.round(NOW)).toEqual(ok(true));
    expect(marks).toEqual([
      { oid: oidOf('alice'), notBefore: NOW - 50, because: 'sign-ins of the account were ended' },
    ]);
    people.note({ oid: oidOf('alice'), issuedAt: NOW - 40, expiresAt: NOW + 3_000 });
    await channel.round(NOW + 1);
    expect(marks).toHaveLength(1);
  });

  it('ends the tokens of whoever is gone', async () => {
    control().world.remove('bob');
    expect(await channel.round(NOW)).toEqual(ok(true));
    expect(marks.map(({ because }) => because)).toEqual(['the directory does not know the account any more']);
  });

  it('asks for nobody who holds no token', async () => {
    people.ended(oidOf('alice'), NOW);
    people.ended(oidOf('bob'), NOW);
    control().world.setEnabled('bob', false);
    control().graph.questions = 0;
    expect(await channel.round(NOW)).toEqual(ok(true));
    // The sweep alone.
    expect(control().graph.questions).toBe(1);
  });

  it('looks at who changed before it is their turn', async () => {
    channel = openChannel({ maxDue: 0 });
    await channel.round(NOW);
    for (const change of [false, true, false]) control().world.setEnabled('bob', change);
    control().world.setEnabled('alice', true);
    expect(await channel.round(NOW + 1)).toEqual(ok(true));
    expect(marks.map(({ oid }) => oid)).toEqual([oidOf('bob')]);
  });

  it('looks at somebody at once when it is told to', async () => {
    control().world.setEnabled('bob', false);
    expect(await channel.look([oidOf('bob'), oidOf('olga')], NOW)).toEqual(ok(true));
    expect(marks.map(({ oid }) => oid)).toEqual([oidOf('bob')]);
  });

  it('begins anew when Graph has forgotten where it was, and misses nobody who holds a token', async () => {
    await channel.round(NOW);
    control().graph.forgetsPlaces = true;
    control().world.setEnabled('bob', false);
    expect(await channel.round(NOW + 1)).toEqual(ok(true));
    expect(marks).toHaveLength(1);
    control().graph.forgetsPlaces = false;
    expect(await channel.round(NOW + 2)).toEqual(ok(true));
  });

  it('says what it did not come to know, and comes to know it afterwards', async () => {
    control().world.setEnabled('bob', false);
    control().graph.fault = { status: 503, body: {} };
    expect(await channel.round(NOW)).toEqual(err({ step: 'sweep', detail: 'status 503' }));
    control().graph.fault = undefined;
    token = async () => new Secret('not a token');
    expect(await channel.round(NOW)).toMatchObject(err({ step: 'sweep' }));
    token = () => graphToken(world.provider);
    canReport = false;
    expect(await channel.round(NOW)).toMatchObject(err({ step: 'report' }));
    canReport = true;
    expect(await channel.round(NOW)).toEqual(ok(true));
    expect(marks.map(({ oid }) => oid)).toEqual([oidOf('bob')]);
  });
});

describe('the stand-in', () => {
  it('shows people to no token but an application of the directory with the permission for it', async () => {
    const { body } = await requestToken(world.provider, CONTOSO_TID, { form: passwordForm('alice') });
    const answer = await fetch(`${world.provider.origin}/v1.0/users/${oidOf('bob')}`, {
      headers: { authorization: `Bearer ${String(body['access_token'])}` },
    });
    expect(answer.status).toBe(401);
  });
});
