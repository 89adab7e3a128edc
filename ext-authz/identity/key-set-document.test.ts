// Unit tests of key-set-document.ts.
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { TokenHint } from '#ext-authz/identity/jwt-parts.ts';
import { findKey, type KeySetDocument, parseKeySet } from '#ext-authz/identity/key-set-document.ts';
import { createTestKey, HOME_TID, OTHER_TID, publishKey } from '#test/support/token-issuer.ts';

const a = createTestKey('a');
const b = createTestKey('b');

const parse = (...keys: unknown[]) => parseKeySet(JSON.stringify({ keys }));

const documentOf = (...keys: unknown[]): KeySetDocument => {
  const parsed = parse(...keys);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
};

const hint = (changes: Partial<TokenHint> = {}): TokenHint => ({
  algorithm: 'RS256',
  iss: `https://login.example/${HOME_TID}/v2.0`,
  tid: HOME_TID,
  ...changes,
});

const findingOf = async (document: KeySetDocument, token: TokenHint, nowSeconds = 1_000) =>
  (await findKey(document, token, nowSeconds)).kind;

describe('parseKeySet()', () => {
  it.each([
    ['no JSON', 'not json'],
    ['no object', '[]'],
    ['no keys', '{}'],
    ['keys that are no list', '{"keys":{}}'],
    ['an empty list', '{"keys":[]}'],
    ['an HTML page', '<html></html>'],
    ['only an encryption key', JSON.stringify({ keys: [publishKey(a, { use: 'enc' })] })],
    ['only a shared secret', '{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"a"}]}'],
    ['more than 200 keys', JSON.stringify({ keys: Array.from({ length: 201 }, () => publishKey(a)) })],
  ])('refuses %s', (_title, text) => {
    expect(parseKeySet(text).ok).toBe(false);
  });

  it('drops a key whose private part was published, and a short one', () => {
    const leaked = { ...a.privateKey.export({ format: 'jwk' }), kid: 'leaked' };
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
    const document = documentOf(leaked, { ...short, kid: 'short' }, publishKey(b));
    expect(document.keys.map((key) => key.kid)).toEqual(['b']);
  });

  it('drops a key that was revoked, and one whose end cannot be read', () => {
    const revoked = publishKey(a, { kid: 'revoked', revoked: { revoked_at: 1 } });
    const document = documentOf(revoked, publishKey(a, { kid: 'odd', exp: '1000' }), publishKey(b));
    expect(document.keys.map((key) => key.kid)).toEqual(['b']);
  });

  it('keeps public members only', () => {
    const document = documentOf(publishKey(a, { x5u: 'https://evil.example/', secret: 'x', issuer: 'i' }));
    const [kept] = document.json['keys'] as object[];
    expect(Object.keys(kept ?? {}).toSorted()).toEqual(['e', 'issuer', 'kid', 'kty', 'n', 'use']);
  });

  it('has a revision that changes with the keys and not with their order', () => {
    const both = documentOf(publishKey(a), publishKey(b)).revision;
    expect(documentOf(publishKey(b), publishKey(a)).revision).toBe(both);
    expect(documentOf(publishKey(a)).revision).not.toBe(both);
  });
});

describe('findKey()', () => {
  it('finds the key a token names', async () => {
    const document = documentOf(publishKey(a), publishKey(b));
    expect(await findingOf(document, hint({ kid: 'b' }))).toBe('found');
    expect(await findingOf(document, hint({ kid: 'c' }))).toBe('unknown');
    expect(await findingOf(document, hint({ kid: '../a' }))).toBe('unknown');
    expect(await findingOf(document, hint({ kid: '' }))).toBe('unknown');
  });

  it('takes a token without kid only where one single key can be meant', async () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
    expect(await findingOf(documentOf(publishKey(a)), hint())).toBe('found');
    expect(await findingOf(documentOf(publishKey(a), ec), hint({ algorithm: 'ES256' }))).toBe('found');
    expect(await findingOf(documentOf(publishKey(a), publishKey(b)), hint())).toBe('unknown');
  });

  it('finds no key whose time is over, so that none is taken for the one meant', async () => {
    const document = documentOf(publishKey(a, { exp: 1_000 }), publishKey(b));
    expect(await findingOf(document, hint({ kid: 'a' }), 999)).toBe('found');
    expect(await findingOf(document, hint({ kid: 'a' }), 1_000)).toBe('unknown');
    expect(await findingOf(document, hint(), 1_000)).toBe('found');
  });

  it('does not choose between two keys of one kid', async () => {
    const twins = documentOf(publishKey(a), publishKey({ ...b, kid: 'a' }));
    expect(await findingOf(twins, hint({ kid: 'a' }))).toBe('unknown');
  });

  it('uses a key only for the algorithm it was published for', async () => {
    const document = documentOf(publishKey(a, { alg: 'RS256' }));
    expect(await findingOf(document, hint({ kid: 'a', algorithm: 'PS256' }))).toBe('unknown');
    expect(await findingOf(document, hint({ kid: 'a', algorithm: 'ES256' }))).toBe('unknown');
  });

  it('lets a key speak only for the issuer written into it', async () => {
    const template = publishKey(a, { issuer: 'https://login.example/{tenantid}/v2.0' });
    const other = publishKey(b, { issuer: `https://login.example/${OTHER_TID}/v2.0` });
    const document = documentOf(template, other);
    expect(await findingOf(document, hint({ kid: 'a' }))).toBe('found');
    expect(await findingOf(document, hint({ kid: 'b' }))).toBe('foreign');
    const withoutTid: TokenHint = { algorithm: 'RS256', kid: 'a', iss: hint().iss };
    expect(await findingOf(document, withoutTid)).toBe('foreign');
    const sameKid = documentOf(other, publishKey({ ...a, kid: 'b' }, { issuer: hint().iss }));
    expect(await findingOf(sameKid, hint({ kid: 'b' }))).toBe('found');
  });
});
