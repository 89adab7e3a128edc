// Renewal in the background, seen from calls: what they get, and how often the provider is asked for it.

import { describe, expect, it } from 'vitest';
import {
  issued,
  refused,
  type Scripted,
  START,
  startFleet,
  UNREACHABLE,
  user,
} from '#test/support/broker-fleet.ts';

const alice = user('alice');

/** A provider whose answers a test gives when it wants to. */
const heldBack = () => {
  const waiting: ((answer: Scripted) => void)[] = [];
  return {
    answer: (): Promise<Scripted> => new Promise((resolve) => waiting.push(resolve)),
    give: (answer: Scripted): void => waiting.shift()?.(answer),
  };
};

describe('a token past four fifths of its life', () => {
  it('goes along at once and is renewed beside the call, for the next', async () => {
    const fleet = startFleet({ script: (attempt) => issued(`token-${attempt}`, 1_000) });
    await fleet.ask(alice);
    fleet.clock.seconds = 790;
    expect(await fleet.ask(alice)).toBe('cache token-1');
    await fleet.settle();
    expect(fleet.exchanges()).toBe(1);
    fleet.clock.seconds = 860;
    expect(await fleet.ask(alice)).toBe('cache token-1');
    await fleet.settle();
    expect(await fleet.ask(alice)).toBe('cache token-2');
    expect(fleet.exchanges()).toBe(2);
    expect(await fleet.metrics()).toMatch(/mcpgw_token_renewals_total\{outcome="renewed",[^}]*\} 1/);
  });

  it('is not waited for while it lives, however long its renewal takes; who comes after its end joins that', async () => {
    const provider = heldBack();
    const fleet = startFleet({ script: (n) => (n === 1 ? issued('old', 1_000) : provider.answer()) });
    await fleet.ask(alice);
    fleet.clock.seconds = 860;
    for (let call = 0; call < 50; call += 1) expect(await fleet.ask(alice)).toBe('cache old');
    fleet.clock.seconds = 999;
    const late = fleet.ask(alice);
    await fleet.settle();
    provider.give(issued('new', 1_000));
    expect(await late).toBe('exchange new');
    expect(fleet.exchanges()).toBe(2);
    await fleet.settle();
    expect(await fleet.metrics()).toMatch(/mcpgw_token_renewals_total\{outcome="renewed",[^}]*\} 1\n/);
  });

  it('is renewed once by four processes that use it, and all have the new one', async () => {
    const fleet = startFleet({ processes: 4, script: (attempt) => issued(`token-${attempt}`, 1_000) });
    const askAll = () => Promise.all([0, 1, 2, 3].map((process) => fleet.ask(alice, process)));
    await askAll();
    for (let round = 1; round <= 3; round += 1) {
      fleet.clock.seconds += 860;
      await askAll();
      await fleet.settle();
      expect(new Set(await askAll())).toEqual(new Set([`cache token-${round + 1}`]));
    }
    expect(fleet.exchanges()).toBe(4);
  });

  it('is left to end where nobody uses it', async () => {
    const fleet = startFleet({ script: () => issued('token', 1_000) });
    await fleet.ask(alice);
    fleet.clock.seconds = 5_000;
    await fleet.settle();
    expect(fleet.exchanges()).toBe(1);
  });

  it('is not renewed for a caller whose own token ends first, to the caller’s end', async () => {
    const fleet = startFleet({ script: () => issued('token', 1_000) });
    const shortly = user('alice', { expiresAt: START + 900 });
    await fleet.ask(shortly);
    for (const seconds of [860, 890, 899]) {
      fleet.clock.seconds = seconds;
      expect(await fleet.ask(shortly)).toBe('cache token');
    }
    await fleet.settle();
    expect(fleet.exchanges()).toBe(1);
  });

  it('is renewed for an application, whose token is no caller’s, whenever that of the caller ends', async () => {
    const fleet = startFleet({ script: (attempt) => issued(`token-${attempt}`, 1_000) });
    const job = user('job', { kind: 'app', expiresAt: START + 870 });
    await fleet.ask(job);
    fleet.clock.seconds = 860;
    await fleet.ask(job);
    await fleet.settle();
    expect(await fleet.ask(job)).toBe('cache token-2');
  });

  it('of five seconds is renewed in its fifth', async () => {
    const fleet = startFleet({ script: (attempt) => issued(`token-${attempt}`, 5) });
    await fleet.ask(alice);
    fleet.clock.seconds = 3.9;
    await fleet.ask(alice);
    await fleet.settle();
    expect(fleet.exchanges()).toBe(1);
    fleet.clock.seconds = 4.3;
    expect(await fleet.ask(alice)).toBe('cache token-1');
    await fleet.settle();
    expect(await fleet.ask(alice)).toBe('cache token-2');
  });
});

describe('a renewal that fails', () => {
  const thrown = (): Scripted => {
    throw new Error('an adapter broke');
  };
  it.each([
    {
      title: 'by a refusal that passes',
      fail: () => refused({ status: 429, retryAfterSeconds: 20 }),
      back: 895,
    },
    { title: 'in a way that nobody remembers a refusal of', fail: thrown, back: 891 },
  ])('$title disturbs no call, and is not tried again for a while', async ({ fail, back }) => {
    const fleet = startFleet({ script: (n) => (n === 2 ? fail() : issued(`token-${n}`, 1_000)) });
    await fleet.ask(alice);
    fleet.clock.seconds = 860;
    for (let call = 0; call < 10; call += 1) {
      expect(await fleet.ask(alice)).toBe('cache token-1');
      await fleet.settle();
    }
    expect(fleet.exchanges()).toBe(2);
    fleet.clock.seconds = back;
    await fleet.ask(alice);
    await fleet.settle();
    expect(await fleet.ask(alice)).toBe('cache token-3');
  });

  it('because the provider has blocked the caller ends the token, in every process', async () => {
    const fleet = startFleet({
      processes: 2,
      script: (n) => (n === 1 ? issued('token', 1_000) : refused({ codes: [53003] })),
    });
    await fleet.ask(alice, 0);
    await fleet.ask(alice, 1);
    fleet.clock.seconds = 860;
    for (const process of [0, 1]) {
      expect(await fleet.ask(alice, process)).toBe('cache token');
      await fleet.settle();
      expect(await fleet.ask(alice, process)).toMatchObject({ reason: 'access_blocked' });
    }
    expect(fleet.exchanges()).toBe(2);
  });

  it('because of our own settings leaves the token its life', async () => {
    const fleet = startFleet({
      script: (n) => (n === 1 ? issued('token', 1_000) : refused({ codes: [500131] })),
    });
    await fleet.ask(alice);
    fleet.clock.seconds = 860;
    await fleet.ask(alice);
    await fleet.settle();
    fleet.clock.seconds = 930;
    expect(await fleet.ask(alice)).toBe('cache token');
  });
});

describe('renewals', () => {
  it('are bounded in number, and calls go on without', async () => {
    const provider = heldBack();
    const fleet = startFleet({ script: (n) => (n <= 40 ? issued('old', 1_000) : provider.answer()) });
    const users = Array.from({ length: 40 }, (_, index) => user(`user-${index}`));
    for (const each of users) await fleet.ask(each);
    fleet.clock.seconds = 860;
    for (const each of users) expect(await fleet.ask(each)).toBe('cache old');
    await fleet.settle();
    expect(fleet.exchanges()).toBe(52);
    expect(await fleet.metrics()).toMatch(/mcpgw_token_renewals_total\{outcome="skipped",[^}]*\} 28/);
  });

  it('under way are awaited at the end, and no more are begun', async () => {
    const provider = heldBack();
    const fleet = startFleet({ script: (n) => (n === 1 ? issued('old', 1_000) : provider.answer()) });
    await fleet.ask(alice);
    fleet.clock.seconds = 860;
    await fleet.ask(alice);
    await fleet.settle();
    let isStopped = false;
    const stopped = fleet.brokers[0]?.stop().then(() => {
      isStopped = true;
    });
    await fleet.settle();
    expect(isStopped).toBe(false);
    provider.give(UNREACHABLE);
    await stopped;
    fleet.clock.seconds = 895;
    await fleet.ask(alice);
    await fleet.settle();
    expect(fleet.exchanges()).toBe(2);
  });
});
