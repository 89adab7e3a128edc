// A sealed token opens under its own key, whole, and as nothing else.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type SealingKey, sealingKeysOf } from '#core/sealing-key.ts';
import { Secret } from '#core/secret.ts';
import { createEntrySealer, type OwnedToken, openEntry, sealEntry } from '#ext-authz/token/sealed-entry.ts';
import { deriveTokenCacheKey } from '#runtime/token-cache-keys.ts';

const key = (seed: number): SealingKey => deriveTokenCacheKey(Buffer.alloc(32, seed));
const KEYS = sealingKeysOf([key(1)]);
const NONCE = Buffer.alloc(12, 9);
const TOKEN = 'eyJ0.the-token-itself.c2ln';
const ENTRY: OwnedToken = { token: new Secret(TOKEN), expiresAt: 2_000, notedAt: 1_000, owner: 'alice' };

const seal = (cacheKey: string, entry: OwnedToken = ENTRY, by = key(1), nonce: Uint8Array = NONCE): string =>
  sealEntry(by, nonce, { cacheKey, entry });

/** What comparing secrets needs, and nothing may print. */
const plain = ({ token, ...entry }: OwnedToken) => ({ ...entry, token: token.reveal() });

const entries = fc.record({
  token: fc.string({ unit: 'binary', maxLength: 300 }).map((text) => new Secret(text)),
  expiresAt: fc.nat(),
  notedAt: fc.nat(),
  owner: fc.string({ unit: 'binary', maxLength: 40 }),
});
const nonces = fc.uint8Array({ minLength: 12, maxLength: 12 });
/** Short texts of what fools naive joining, so that collisions would be found. */
const cacheKeys = fc.string({ unit: fc.constantFrom('a', 'b', '"', ',', '[', ']', '\\', '.'), maxLength: 4 });

describe('a sealed entry', () => {
  it('opens under its key as what was sealed', () => {
    fc.assert(
      fc.property(cacheKeys, entries, nonces, (cacheKey, entry, nonce) => {
        const opened = openEntry(KEYS, seal(cacheKey, entry, key(1), nonce), cacheKey);
        expect(opened.ok && plain(opened.value)).toEqual(plain(entry));
      }),
    );
  });

  it('opens under no other key name', () => {
    fc.assert(
      fc.property(cacheKeys, cacheKeys, entries, (cacheKey, other, entry) => {
        fc.pre(cacheKey !== other);
        expect(openEntry(KEYS, seal(cacheKey, entry), other)).toEqual({ ok: false, error: 'forged' });
      }),
      { numRuns: 1_000 },
    );
  });

  it('does not open with any bit of it turned', () => {
    const [id = '', text = ''] = seal('k').split('.');
    const bytes = Buffer.from(text, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const turned = Buffer.from(bytes);
      turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(openEntry(KEYS, `${id}.${turned.toString('base64url')}`, 'k')).toEqual({
        ok: false,
        error: 'forged',
      });
    }
  });

  it('does not open with any character changed, put in, or cut out', () => {
    const sealed = seal('k');
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 0, max: 0x24f }), (at, code) => {
        const character = String.fromCharCode(code);
        const texts = [
          sealed.slice(0, at) + character + sealed.slice(at + 1),
          sealed.slice(0, at) + character + sealed.slice(at),
          sealed.slice(0, at) + sealed.slice(at + 1),
          sealed.slice(0, at),
        ];
        for (const text of texts.filter((candidate) => candidate !== sealed))
          expect(openEntry(KEYS, text, 'k').ok, text).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('holds nothing of the token, its owner or its key in the clear', () => {
    const sealed = seal('the-cache-key');
    for (const text of [TOKEN, 'alice', 'the-cache-key']) {
      expect(sealed).not.toContain(text);
      expect(Buffer.from(sealed.slice(9), 'base64url').toString('latin1')).not.toContain(text);
    }
  });

  it('opens after a rotation until its key is gone; the newest seals', () => {
    const sealed = seal('k');
    expect(openEntry(sealingKeysOf([key(1), key(2)]), sealed, 'k').ok).toBe(true);
    expect(openEntry(sealingKeysOf([key(2), key(3)]), sealed, 'k')).toEqual({
      ok: false,
      error: 'key_unknown',
    });
    const impostor = { ...key(2), id: key(1).id };
    expect(openEntry(sealingKeysOf([impostor]), sealed, 'k')).toEqual({ ok: false, error: 'forged' });
  });
});

describe('createEntrySealer()', () => {
  const setUp = () => {
    const faults: string[] = [];
    const keys = sealingKeysOf([key(1), key(2)]);
    const ring = { current: () => keys, knowing: () => keys, fault: () => undefined };
    return { faults, sealer: createEntrySealer({ ring, countUnopened: (fault) => faults.push(fault) }) };
  };

  it('seals with the newest key, and no two entries alike', () => {
    const { sealer } = setUp();
    const [one, other] = [sealer.seal('k', ENTRY), sealer.seal('k', ENTRY)];
    expect(one.startsWith(`${key(2).id}.`)).toBe(true);
    expect(one).not.toBe(other);
    expect(sealer.open('k', one)?.token.reveal()).toBe(TOKEN);
  });

  it('takes what does not open for a miss, and counts it', () => {
    const { sealer, faults } = setUp();
    const texts = ['', 'nonsense', seal('k', ENTRY, key(7)), seal('other')];
    expect(texts.map((text) => sealer.open('k', text))).toEqual(Array(4).fill(undefined));
    expect(faults).toEqual(['malformed', 'malformed', 'key_unknown', 'forged']);
  });
});
