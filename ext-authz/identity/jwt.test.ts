// What a verified JWT is believed for is held once for all tokens of a key, and is another as soon as the key set is.

import { expect, it } from 'vitest';
import { Secret } from '#core/secret.ts';
import { createJwtVerifier } from '#ext-authz/identity/jwt.ts';
import { findKey, parseKeySet } from '#ext-authz/identity/key-set-document.ts';
import type { KeySets } from '#ext-authz/identity/key-sets.ts';
import {
  createTestKey,
  NOW,
  oidcClaims,
  oidcIssuer,
  publishKey,
  signWith,
  testServer,
  testTenant,
} from '#test/support/token-issuer.ts';

const KEY = createTestKey('one');
const ISSUER = oidcIssuer('https://idp.example/keys');

const readKeys = () => {
  const document = parseKeySet(JSON.stringify({ keys: [publishKey(KEY)] }));
  if (!document.ok) throw new Error(document.error);
  return document.value;
};

const PRESENTED = {
  tenant: testTenant([ISSUER]),
  server: testServer([ISSUER]),
  nowSeconds: NOW,
  signal: new AbortController().signal,
  target: { method: 'POST', url: 'https://gw.example/mcp/tracker' },
};

it('believes all tokens of a key for the very same reason, until its set is another', async () => {
  const document = readKeys();
  let revision = 'first';
  const keySets: Pick<KeySets, 'find' | 'revision'> = {
    find: (_issuer, hint) => findKey(document, hint, NOW),
    revision: () => revision,
  };
  const verifier = createJwtVerifier(keySets as KeySets);
  const basisOf = async (sub: string) => {
    const verified = await verifier.verify(new Secret(await signWith(KEY, oidcClaims({ sub }))), PRESENTED);
    if (!verified.ok) throw new Error(verified.error.reason);
    return verified.value.basis;
  };
  const basis = await basisOf('alice');
  expect(await basisOf('bob')).toBe(basis);
  revision = 'second';
  expect(await basisOf('bob')).toEqual({ ...basis, revision: 'second' });
});
