import { describe, expect, it } from 'vitest';
import { findClaim, isClaimPath } from '#core/find-claim.ts';

const payload = {
  roles: ['top'],
  'a.b': 'dotted name',
  a: { b: 'path' },
  realm_access: { roles: ['keycloak'] },
  'https://acme.example/roles': ['auth0'],
  'tilde~name': 'tilde',
  '/odd': 'a name that begins with a slash',
  odd: 'a member',
  list: [{ roles: ['in a list'] }],
};

describe('findClaim()', () => {
  it.each([
    ['roles', ['top']],
    ['realm_access.roles', ['keycloak']],
    ['a.b', 'dotted name'],
    ['https://acme.example/roles', ['auth0']],
    ['/realm_access/roles', ['keycloak']],
    ['/a.b', 'dotted name'],
    ['/a/b', 'path'],
    ['/https:~1~1acme.example~1roles', ['auth0']],
    ['/tilde~0name', 'tilde'],
    ['/odd', 'a member'],
  ])('finds %s', (name, value) => {
    expect(findClaim(payload, name)).toEqual(value);
  });

  it.each([
    '/list/0/roles',
    '/realm_access/groups',
    '/roles/length',
    '/__proto__',
    '/constructor/name',
    '/',
    '//roles',
    '/tilde~2name',
    `/${Array(9).fill('a').join('/')}`,
  ])('finds nothing at %s', (name) => {
    expect(findClaim(payload, name)).toBeUndefined();
  });
});

describe('isClaimPath()', () => {
  it('bounds the depth of a pointer and knows its escapes', () => {
    expect(isClaimPath(`/${Array(8).fill('a').join('/')}`)).toBe(true);
    expect(isClaimPath(`/${Array(9).fill('a').join('/')}`)).toBe(false);
    expect(isClaimPath('/a~b')).toBe(false);
    expect(isClaimPath('/')).toBe(false);
    expect(isClaimPath('any name')).toBe(true);
  });
});
