// Properties of sealed session ids: what goes in comes out for its owner, and for nobody and nothing else.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MAX_SEALED_CHARACTERS,
  openSession,
  type SessionOwner,
  sealSession,
  sessionReference,
  type UpstreamSession,
} from '#core/sealed-session.ts';
import { sealingKeysOf } from '#core/sealing-key.ts';
import { deriveSessionKey, type SessionKey } from '#core/session-key.ts';

const visible = (maxLength: number) =>
  fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
    minLength: 1,
    maxLength,
  });

const owners: fc.Arbitrary<SessionOwner> = fc.record({
  tenantId: fc.string(),
  serverId: fc.string(),
  principal: fc.string(),
  applications: fc.array(fc.string(), { maxLength: 2 }),
});

const sessions: fc.Arbitrary<UpstreamSession> = fc.record({
  id: visible(200),
  host: fc.constantFrom('127.0.0.1:8080', '[2001:db8::1]:443'),
  version: visible(64),
  startedAt: fc.nat(),
});

const nonces = fc.uint8Array({ minLength: 12, maxLength: 12 });

const key = (seed: number): SessionKey => deriveSessionKey(Buffer.alloc(32, seed));
const KEYS = sealingKeysOf([key(1)]);

const OWNER: SessionOwner = { tenantId: 't', serverId: 's', principal: '["i","alice"]', applications: ['a'] };
const SESSION: UpstreamSession = { id: 'u-1', host: '127.0.0.1:1', version: '1.0.0', startedAt: 7 };
const NONCE = Buffer.alloc(12, 9);

const seal = (
  session: UpstreamSession,
  owner: SessionOwner = OWNER,
  by = key(1),
  nonce: Uint8Array = NONCE,
) => sealSession(by, nonce, { session, owner }) ?? '';

describe('a sealed session', () => {
  it('opens for its owner as what was sealed, and is visible ASCII on the way', () => {
    fc.assert(
      fc.property(sessions, owners, nonces, (session, owner, nonce) => {
        const sealed = seal(session, owner, key(1), nonce);
        expect(sealed).toMatch(/^[\x21-\x7e]+$/);
        expect(openSession(KEYS, sealed, owner)).toEqual({ ok: true, value: session });
      }),
    );
  });

  it('opens for no other owner', () => {
    fc.assert(
      fc.property(sessions, owners, owners, (session, owner, other) => {
        fc.pre(JSON.stringify(owner) !== JSON.stringify(other));
        expect(openSession(KEYS, seal(session, owner), other)).toEqual({ ok: false, error: 'foreign' });
      }),
    );
  });

  it('lets no part of the owner stand for another', () => {
    const all = [
      OWNER,
      { ...OWNER, tenantId: 't","s' },
      { ...OWNER, tenantId: 'ts', serverId: '' },
      { ...OWNER, tenantId: OWNER.serverId, serverId: OWNER.tenantId },
      { ...OWNER, applications: [] },
      { ...OWNER, applications: ['a', 'b'] },
      { ...OWNER, principal: '["i","bob"]' },
    ];
    for (const owner of all) {
      const openedBy = all.filter((other) => openSession(KEYS, seal(SESSION, owner), other).ok);
      expect(openedBy).toEqual([owner]);
    }
  });

  it('does not open with any character changed, put in, or cut out', () => {
    const sealed = seal(SESSION);
    const changed = fc
      .tuple(fc.nat(sealed.length - 1), fc.integer({ min: 0x21, max: 0x7e }))
      .map(([at, code]) => {
        const character = String.fromCharCode(code);
        return [
          sealed.slice(0, at) + character + sealed.slice(at + 1),
          sealed.slice(0, at) + character + sealed.slice(at),
          sealed.slice(0, at) + sealed.slice(at + 1),
          sealed.slice(0, at),
        ];
      });
    fc.assert(
      fc.property(changed, (texts) => {
        for (const text of texts.filter((candidate) => candidate !== sealed))
          expect(openSession(KEYS, text, OWNER).ok, text).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('does not open with any bit of it turned', () => {
    const [id = '', text = ''] = seal(SESSION).split('.');
    const bytes = Buffer.from(text, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const turned = Buffer.from(bytes);
      turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const opened = openSession(KEYS, `${id}.${turned.toString('base64url')}`, OWNER);
      expect(opened).toEqual({ ok: false, error: 'forged' });
    }
  });

  it.each(['', '.', 'x', `${key(1).id}.`, `${key(1).id}.AA`, 'u-1', 'é'.repeat(9), `${seal(SESSION)}=`])(
    'is not %j',
    (text) => {
      expect(openSession(KEYS, text, OWNER).ok).toBe(false);
    },
  );

  it('opens after a rotation, until its key is gone; the newest key seals', () => {
    const sealed = seal(SESSION);
    const rotated = sealingKeysOf([key(1), key(2)]);
    expect(openSession(rotated, sealed, OWNER).ok).toBe(true);
    expect(rotated.current.id).toBe(key(2).id);
    const later = seal(SESSION, OWNER, rotated.current);
    expect(openSession(rotated, later, OWNER).ok).toBe(true);
    expect(openSession(sealingKeysOf([key(2), key(3)]), sealed, OWNER)).toEqual({
      ok: false,
      error: 'key_unknown',
    });
  });

  it('does not open under another key that is given the name of its own', () => {
    const impostor = { ...key(2), id: key(1).id };
    expect(openSession(sealingKeysOf([impostor]), seal(SESSION), OWNER)).toEqual({
      ok: false,
      error: 'forged',
    });
  });

  it('is refused for an id of the server that could not stand in a header, or is too long to be carried', () => {
    for (const id of ['', 'a b', 'a\nb', 'ü', 'x'.repeat(MAX_SEALED_CHARACTERS)])
      expect(seal({ ...SESSION, id }), id.slice(0, 9)).toBe('');
    const longest = 'x'.repeat(2_800);
    expect(openSession(KEYS, seal({ ...SESSION, id: longest }), OWNER)).toMatchObject({
      value: { id: longest },
    });
  });
});

describe('sessionReference()', () => {
  it('is the same for a session and tells two of one server id apart', () => {
    const [one, two] = [seal(SESSION), seal(SESSION, OWNER, key(1), Buffer.alloc(12, 8))];
    expect(sessionReference(one)).toBe(sessionReference(one));
    expect(sessionReference(one)).not.toBe(sessionReference(two));
    expect(sessionReference(one)).toMatch(/^[0-9a-f]{24}$/);
  });
});
