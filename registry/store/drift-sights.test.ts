// Whatever is reported in whatever order: a tool is remembered while a replica is known to serve it otherwise, and what was
// said last of a replica is what counts.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { DriftSighting } from '#core/tool-drift.ts';
import { applySightings } from '#registry/store/drift-sights.ts';

const START_MS = Date.parse('2026-01-01T00:00:00Z');

const sightings = fc.array(
  fc.record({
    tool: fc.constantFrom('a', 'b'),
    replica: fc.constantFrom('10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80'),
    digest: fc.option(fc.constantFrom('a'.repeat(64), 'b'.repeat(64)), { nil: undefined }),
    second: fc.integer({ min: 0, max: 3_000 }),
  }),
  { maxLength: 20 },
);

const sightingOf = ({
  digest,
  second,
  ...seen
}: {
  readonly tool: string;
  readonly replica: string;
  readonly digest: string | undefined;
  readonly second: number;
}): DriftSighting => ({
  tenantId: 'acme',
  serverId: 'tracker',
  version: '1.0.0',
  ...seen,
  ...(digest === undefined ? {} : { digest }),
  changes: [],
  at: new Date(START_MS + second * 1_000).toISOString(),
});

const wordOf = ({ replica, digest }: Pick<DriftSighting, 'replica' | 'digest'>): string =>
  `${replica} ${digest}`;

/** What is to be known of one tool: the last word of each replica, if one of them is that it serves something else. */
const expected = (told: readonly DriftSighting[]): readonly string[] => {
  const last = new Map<string, DriftSighting>();
  for (const sighting of told)
    if ((last.get(sighting.replica)?.at ?? '') <= sighting.at) last.set(sighting.replica, sighting);
  const words = [...last.values()];
  return words.some(({ digest }) => digest !== undefined) ? words.map(wordOf).toSorted() : [];
};

it('remembers the last word of every replica of a tool, while one of them serves it otherwise', () => {
  fc.assert(
    fc.property(sightings, fc.constantFrom('a', 'b'), (seen, tool) => {
      const told = seen.map(sightingOf);
      const kept = applySightings([], told).filter((sight) => sight.tool === tool);
      expect(kept.map(wordOf).toSorted()).toEqual(
        expected(told.filter((sighting) => sighting.tool === tool)),
      );
    }),
  );
});

it('comes to the same in one report as in several, where an all-clear comes after what it clears', () => {
  fc.assert(
    fc.property(sightings, fc.nat(20), (seen, cut) => {
      const told = seen.map(sightingOf).toSorted((a, b) => (a.at < b.at ? -1 : 1));
      const parts = applySightings(applySightings([], told.slice(0, cut)), told.slice(cut));
      const drifting = (sights: typeof parts): string[] =>
        sights
          .filter(({ digest }) => digest !== undefined)
          .map(({ tool, replica, digest }) => `${tool} ${replica} ${digest}`)
          .toSorted();
      expect(drifting(parts)).toEqual(drifting(applySightings([], told)));
    }),
  );
});
