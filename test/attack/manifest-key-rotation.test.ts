// Keys are changed while publishing goes on: old and new side by side, no manifest refused that should not be, and none
// accepted of a key that is gone.

import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  type ManifestBench,
  publisherOf,
  refusalOf,
  startManifestBench,
  TEAM,
} from '#test/support/manifest-bench.ts';
import { manifest2, type PublisherTestKey, publisherKey } from '#test/support/manifest-world.ts';

const NEXT = publisherKey('team-2');
const BOTH = ['tracker', 'reports'];

let bench: ManifestBench;

beforeAll(async () => {
  bench = await startManifestBench();
  await bench.enter('acme');
  // One team for both servers, so that two releases can go on at once.
  expect((await bench.put('/publishers/other', publisherOf([publisherKey('other-2')], []))).status).toBe(200);
  expect((await bench.put('/publishers/team', publisherOf([TEAM], BOTH))).status).toBe(200);
});
afterAll(() => bench.registry.stop());

type Release = { readonly keys: Set<PublisherTestKey>; isOver: boolean; readonly outcomes: string[] };

/** Publishes one version after the other, with each of the keys in turn, until it is told to end. */
const release = async (server: string, state: Release): Promise<void> => {
  for (let n = 1; !state.isOver; n += 1) {
    for (const key of state.keys) {
      const endpoints = [`https://${server}.example.com/mcp`];
      const manifest = manifest2({ server, version: `${n}.0.${key.kid === NEXT.kid ? 1 : 0}`, endpoints });
      const sent = await bench.publish(manifest, { key });
      state.outcomes.push(`${key.kid} ${sent.status === 201 ? 'published' : refusalOf(sent).code}`);
    }
  }
};

const hasTurned = (state: Release, times: number) => {
  const from = state.outcomes.length;
  return expect.poll(() => state.outcomes.length).toBeGreaterThan(from + times);
};

it('an old key and its successor publish side by side, and the old one ends with its removal', async () => {
  const state: Release = { keys: new Set([TEAM]), isOver: false, outcomes: [] };
  const releases = BOTH.map((server) => release(server, state));
  await hasTurned(state, 4);
  expect((await bench.put('/publishers/team', publisherOf([TEAM, NEXT], BOTH))).status).toBe(200);
  state.keys.add(NEXT);
  await hasTurned(state, 8);
  // The team has moved to the new key before the old one is taken away.
  state.keys.delete(TEAM);
  await hasTurned(state, 4);
  expect((await bench.put('/publishers/team', publisherOf([NEXT], BOTH))).status).toBe(200);
  await hasTurned(state, 4);
  state.isOver = true;
  await Promise.all(releases);
  expect([...new Set(state.outcomes)].toSorted()).toEqual(['team-1 published', 'team-2 published']);
  const before = await bench.trace();
  expect(refusalOf(await bench.publish(manifest2({ version: '9999.0.0' })))).toEqual({
    status: 401,
    code: 'signature-key-unknown',
    pointers: ['/x-jws-signature/kid'],
  });
  expect(await bench.trace()).toEqual(before);
}, 60_000);

it('a key that is removed in the middle of a release has published nothing after its removal', async () => {
  expect((await bench.put('/publishers/team', publisherOf([TEAM, NEXT], BOTH))).status).toBe(200);
  const state: Release = { keys: new Set([TEAM]), isOver: false, outcomes: [] };
  const versions = async () =>
    (await bench.admin('GET', '/servers/tracker/versions?limit=200')).body.items.length;
  const from = 100_000;
  const race = async (n: number): Promise<void> => {
    const manifest = manifest2({ version: `${from + n}.0.0` });
    const sent = await bench.publish(manifest);
    state.outcomes.push(sent.status === 201 ? 'published' : String(refusalOf(sent).code));
  };
  const known = await versions();
  const first = race(1);
  const removed = bench.put('/publishers/team', publisherOf([NEXT], BOTH));
  await Promise.all([first, race(2), race(3)]);
  expect((await removed).status).toBe(200);
  await race(4);
  expect(state.outcomes.at(-1)).toBe('signature-key-unknown');
  const revisions = (await bench.admin('GET', '/revisions?limit=10')).body.items as unknown as readonly {
    readonly action: string;
    readonly actor: string;
  }[];
  const removal = revisions.findIndex(({ action }) => action.includes('publishers/team'));
  expect(removal).toBeGreaterThanOrEqual(0);
  // Newest first: what stands before the removal came after it.
  expect(revisions.slice(0, removal).filter(({ actor }) => actor.endsWith('#team-1'))).toEqual([]);
  const published = state.outcomes.filter((outcome) => outcome === 'published').length;
  expect(await versions()).toBe(known + published);
});
