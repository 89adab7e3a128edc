// Unit tests of layered-map.ts: it is to a Map as one that is copied, whatever is done to it, and its past stays as it was.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LayeredMap } from '#xds-server/stream/layered-map.ts';

const name = fc.integer({ min: 0, max: 60 }).map((n) => `n${n}`);
const change = fc.record({
  set: fc.array(fc.tuple(name, fc.integer())),
  drop: fc.array(name, { maxLength: 5 }),
});
const sorted = (entries: Iterable<readonly [string, number]>) => [...entries].map(String).sort();
const everyName = Array.from({ length: 61 }, (_, n) => `n${n}`);

type Change = { readonly set: readonly (readonly [string, number])[]; readonly drop: readonly string[] };
type Twins = { readonly layered: LayeredMap<number>; readonly plain: ReadonlyMap<string, number> };

const after = ({ layered, plain }: Twins, { set, drop }: Change): Twins => ({
  layered: layered.changed({ set, drop }),
  plain: new Map([...[...plain].filter(([key]) => !drop.includes(key)), ...set]),
});

const expectTwins = ({ layered, plain }: Twins): void => {
  expect(layered.size).toBe(plain.size);
  expect(sorted(layered)).toEqual(sorted(plain));
  expect([...layered.keys()].sort()).toEqual([...plain.keys()].sort());
  for (const key of everyName)
    expect([layered.get(key), layered.has(key)]).toEqual([plain.get(key), plain.has(key)]);
};

describe('a layered map', () => {
  it('is what a copied map would be, and so are all it was made from', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const states: Twins[] = [{ layered: LayeredMap.of<number>(), plain: new Map() }];
        for (const each of changes) states.push(after(states.at(-1) as Twins, each));
        for (const state of states) expectTwins(state);
      }),
    );
  });
});
