// Unit tests of same-person.ts.

import { describe, expect, it } from 'vitest';
import { principalKey } from '#core/identity.ts';
import { isSamePerson } from '#core/same-person.ts';

const TID = '11111111-1111-4111-8111-111111111111';
const OID = '44444444-4444-4444-8444-444444444444';
const V1 = `https://sts.windows.net/${TID}/`;
const V2 = `https://login.microsoftonline.com/${TID}/v2.0`;

const entra = (issuer: string, tid = TID, oid = OID) =>
  principalKey({ issuer, subject: `pairwise-${issuer}`, tid, oid });
const oidc = (subject: string) => principalKey({ issuer: 'https://idp.example', subject });

describe('isSamePerson()', () => {
  it.each([
    ['one key', oidc('alice'), oidc('alice'), true],
    ['tokens of both versions', entra(V1), entra(V2), true],
    ['ids in another case', entra(V1), entra(V2, TID, OID.toUpperCase()), true],
    ['two persons of a directory', entra(V1), entra(V2, TID, TID), false],
    ['the same object id in two directories', entra(V1), entra(V2, OID), false],
    ['two subjects of an issuer', oidc('alice'), oidc('bob'), false],
    ['a subject and an object of that id', oidc(OID), entra(V2), false],
    ['a key that is no JSON', 'bootstrap', 'bootstrap', true],
    ['two keys that are no JSON', 'bootstrap', 'mcpctl', false],
  ])('%s', (_, one, other, expected) => {
    expect([isSamePerson(one, other), isSamePerson(other, one)]).toEqual([expected, expected]);
  });
});
