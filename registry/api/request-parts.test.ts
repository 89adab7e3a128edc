import { describe, expect, it } from 'vitest';
import { isPermitted, rolesFor } from '#registry/api/auth/roles.ts';
import { fillDefaults, inputForm } from '#registry/api/json-schema.ts';
import { mergePatch } from '#registry/api/merge-patch.ts';
import { entityTag, isNotModified, judgePrecondition } from '#registry/api/precondition.ts';
import { compileCheck, compileInput } from '#registry/api/validation.ts';

describe('mergePatch', () => {
  // The table of RFC 7396, appendix A.
  it.each<[unknown, unknown, unknown]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j with %j is %j', (target, patch, expected) => {
    expect(mergePatch(target as never, patch as never)).toEqual(expected);
  });

  it('changes no prototype', () => {
    const merged = mergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}'));
    expect((merged as { polluted?: boolean }).polluted).toBeUndefined();
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
  });
});

describe('judgePrecondition', () => {
  const judge = (ifMatch?: string, ifNoneMatch?: string, revision?: number) =>
    judgePrecondition({ ifMatch, ifNoneMatch }, revision)?.status;

  it.each<[string, number | undefined, number | undefined]>([
    ['creates without conditions', judge(undefined, undefined, undefined), undefined],
    ['creates with If-None-Match: *', judge(undefined, '*', undefined), undefined],
    ['does not create under If-Match', judge('"3"', undefined, undefined), 412],
    ['asks for If-Match', judge(undefined, undefined, 3), 428],
    ['takes the right tag', judge('"3"', undefined, 3), undefined],
    ['takes one of several', judge('"1", "3"', undefined, 3), undefined],
    ['takes any with *', judge('*', undefined, 3), undefined],
    ['refuses another tag', judge('"4"', undefined, 3), 412],
    ['refuses a weak tag', judge('W/"3"', undefined, 3), 412],
    ['refuses a tag without quotes', judge('3', undefined, 3), 412],
    ['refuses to replace under If-None-Match: *', judge('"3"', '*', 3), 412],
  ])('%s', (_name, status, expected) => {
    expect(status).toBe(expected);
  });

  it('knows who has it already', () => {
    expect(isNotModified(entityTag(3), 3)).toBe(true);
    expect(isNotModified(entityTag(2), 3)).toBe(false);
    expect(isNotModified(undefined, 3)).toBe(false);
  });
});

describe('input forms', () => {
  const schema = {
    type: 'object',
    additionalProperties: false,
    required: ['name', 'tags', 'items'],
    properties: {
      name: { type: 'string' },
      tags: { type: 'array', items: { type: 'string' }, default: [] },
      items: {
        type: 'array',
        items: {
          type: 'object',
          required: ['on'],
          properties: { on: { type: 'boolean', default: true } },
          additionalProperties: false,
        },
      },
    },
  };

  it('make fields with a default optional at every depth, and fill them in', () => {
    expect(inputForm(schema)['required']).toEqual(['name', 'items']);
    expect(compileInput(schema)({ name: 'a', items: [{}, { on: false }] })).toEqual({
      ok: true,
      value: { name: 'a', tags: [], items: [{ on: true }, { on: false }] },
    });
  });

  it('leave what is not described alone', () => {
    expect(fillDefaults({}, { a: 1 })).toEqual({ a: 1 });
    expect(fillDefaults({ type: 'string', default: 'x' }, 'y')).toBe('y');
  });

  it('name unknown and missing fields, with their pointers escaped', () => {
    const result = compileInput(schema)({ 'a/b~c': 1, items: [{ off: 1 }] });
    expect(result.ok ? [] : result.error.map(({ pointer }) => pointer).toSorted()).toEqual([
      '/a~1b~0c',
      '/items/0/off',
      '/name',
    ]);
  });

  it('name a dozen faults as well as one', () => {
    const check = compileCheck({
      type: 'array',
      items: { type: 'object', properties: { id: { type: 'string' } } },
    });
    const faults = check(Array.from({ length: 12 }, () => ({ id: 5 })));
    expect(faults).toMatchObject({ ok: false, error: { length: 12 } });
  });

  it('do not answer a flood of faults with a flood', () => {
    const result = compileInput(schema)({ name: 'a', items: Array(10_000).fill({ off: 1 }) });
    expect(result.ok ? 0 : result.error.length).toBeLessThanOrEqual(50);
  });
});

describe('roles', () => {
  it('open nothing by accident', () => {
    const caller = (...roles: string[]) => ({ principal: 'p', roles: new Set(roles) });
    expect(isPermitted(caller(), 'read', 'acme')).toBe(false);
    expect(isPermitted(caller('admin:'), 'write', '')).toBe(false);
    expect(isPermitted(caller('admin:acme'), 'platform', 'acme')).toBe(false);
    expect(isPermitted(caller('platform-admin'), 'audit', 'acme')).toBe(true);
    expect(rolesFor('write', 'acme')).toEqual(['admin:acme', 'platform-admin']);
  });
});
