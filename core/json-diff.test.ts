import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '#core/json.ts';
import { diffJson } from '#core/json-diff.ts';
import { isSameJson } from '#core/same-json.ts';
import { applyChanges } from '#test/support/apply-changes.ts';
import { cpuTimeOf } from '#test/support/cpu-time.ts';

const json = fc.jsonValue({ maxDepth: 4 }).map((value): Json => JSON.parse(JSON.stringify(value)));

/** Lists of few values, so that elements stay, move and repeat. */
const lists = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 8 });

const tool = fc.record({ name: fc.constantFrom('x', 'y', 'z'), tags: lists });
const server = fc.record({ tools: fc.array(tool, { maxLength: 5 }), hosts: lists, 'a/b~c': json });

const isApplied = (before: Json, after: Json): boolean =>
  isSameJson(applyChanges(before, diffJson(before, after)), after);

describe('diffJson', () => {
  it('applied to the old value gives the new one, whatever they are', () => {
    fc.assert(fc.property(json, json, isApplied), { numRuns: 500 });
    fc.assert(fc.property(lists, lists, isApplied), { numRuns: 500 });
    fc.assert(
      fc.property(server, server, (a, b) => isApplied(a as Json, b as Json)),
      { numRuns: 500 },
    );
  });

  it('is empty for one document, in whatever order its keys are written', () => {
    fc.assert(fc.property(json, (value) => diffJson(value, structuredClone(value)).length === 0));
    expect(diffJson([{ a: 1, b: [2] }], [{ b: [2], a: 1 }])).toEqual([]);
  });

  it('is not empty for two documents', () => {
    fc.assert(fc.property(json, json, (a, b) => isSameJson(a, b) === (diffJson(a, b).length === 0)));
  });

  it('names what came, what went and what became another, with its place', () => {
    const before = { name: 'x', limit: 3, hosts: ['a', 'b'], gone: null };
    const after = { name: 'y', limit: 3, hosts: ['b', 'c'], come: false };
    expect(diffJson(before, after)).toEqual([
      { change: 'added', pointer: '/come', after: false },
      { change: 'removed', pointer: '/gone', before: null },
      { change: 'removed', pointer: '/hosts/0', before: 'a' },
      { change: 'added', pointer: '/hosts/1', after: 'c' },
      { change: 'changed', pointer: '/name', before: 'x', after: 'y' },
    ]);
  });

  it('knows a tool by its name when one before it was removed', () => {
    const tools = (...names: string[]) => names.map((name) => ({ name, title: 'old' }));
    const changed = [
      { name: 'b', title: 'new' },
      { name: 'c', title: 'old' },
    ];
    expect(diffJson({ tools: tools('a', 'b', 'c') }, { tools: changed })).toEqual([
      { change: 'removed', pointer: '/tools/0', before: { name: 'a', title: 'old' } },
      { change: 'changed', pointer: '/tools/0/title', before: 'old', after: 'new' },
    ]);
  });

  it('takes a group and a role of one id for two subjects', () => {
    const subjects = [
      { kind: 'group', id: 'x' },
      { kind: 'role', id: 'x' },
    ];
    expect(diffJson({ subjects }, { subjects: subjects.slice(1) })).toEqual([
      { change: 'removed', pointer: '/subjects/0', before: { kind: 'group', id: 'x' } },
    ]);
  });

  it('sees keys that mean something to JavaScript', () => {
    const odd = JSON.parse('{"__proto__":{"constructor":1}}') as Json;
    expect(diffJson({}, odd)).toEqual([
      { change: 'added', pointer: '/__proto__', after: { constructor: 1 } },
    ]);
    expect(diffJson({ constructor: 1 }, {})).toHaveLength(1);
  });

  it('compares long lists in no time', () => {
    const names = Array.from({ length: 20_000 }, (_, n) => `tool-${n}`);
    const compare = () => expect(diffJson(names, names.toReversed()).length).toBe(2 * 19_999);
    expect(cpuTimeOf(compare)).toBeLessThan(2_000);
  });
});
