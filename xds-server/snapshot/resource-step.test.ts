// Unit tests of resource-step.ts: what is said to have changed is what did.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modelResource } from '#test/support/xds-model-envoy.ts';
import type { Resource, Resources } from '#xds-server/snapshot/resource.ts';
import { changedNames, changeResources } from '#xds-server/snapshot/resource-step.ts';

const names = fc.constantFrom('a', 'b', 'c', 'd');
const change = fc.dictionary(names, fc.constantFrom('1', '2', undefined), { maxKeys: 3 });

const changesOf = (wanted: Readonly<Record<string, string | undefined>>) =>
  new Map<string, Resource | undefined>(
    Object.entries(wanted).map(([name, version]) => [
      name,
      version === undefined ? undefined : modelResource(name, version),
    ]),
  );

const versions = (resources: Resources): object =>
  Object.fromEntries([...resources].map(([name, { version }]) => [name, version]));

const differing = (before: Resources, after: Resources): readonly string[] =>
  [...new Set([...before.keys(), ...after.keys()])].filter((name) => before.get(name) !== after.get(name));

describe('changedNames()', () => {
  it('names everything that differs, over any number of changes up to those remembered', () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 32 }), fc.nat(), (changes, seed) => {
        const states: Resources[] = [new Map()];
        for (const each of changes) states.push(changeResources(states.at(-1) ?? new Map(), changesOf(each)));
        const last = states.at(-1) ?? new Map();
        const before = states[seed % states.length] ?? new Map();
        const said = changedNames(before, last);
        expect([...(said ?? [])]).toEqual(expect.arrayContaining([...differing(before, last)]));
        expect(said).toBeDefined();
        const known = new Set(changes.slice(seed % states.length).flatMap((each) => Object.keys(each)));
        for (const name of said ?? []) expect(known).toContain(name);
      }),
    );
  });

  it('says nothing of a map that was made otherwise, or so long ago that it is forgotten', () => {
    const first: Resources = new Map([['a', modelResource('a', '1')]]);
    let last = first;
    for (let version = 0; version < 33; version += 1) {
      if (version === 32) expect([...(changedNames(first, last) ?? [])]).toEqual(['a']);
      last = changeResources(last, changesOf({ a: String(version) }));
    }
    expect(changedNames(first, last)).toBeUndefined();
    expect(changedNames(new Map(first), last)).toBeUndefined();
    expect(changedNames(first, new Map(last))).toBeUndefined();
    expect(changedNames(last, first)).toBeUndefined();
  });
});

describe('changeResources()', () => {
  it('leaves what was given as it is, and gives it back where nothing changes', () => {
    const before: Resources = new Map([['a', modelResource('a', '1')]]);
    const after = changeResources(before, changesOf({ a: undefined, b: '2' }));
    expect([versions(before), versions(after)]).toEqual([{ a: '1' }, { b: '2' }]);
    expect(changeResources(before, new Map())).toBe(before);
    expect(changedNames(before, before)?.size).toBe(0);
  });
});
