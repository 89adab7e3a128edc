// Properties of marked event ids: they come back as they were where they were seen, and nowhere else.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EventPlace, openEventId, sealEventId } from '#core/sealed-event-id.ts';
import { sealingKeysOf } from '#core/sealing-key.ts';
import { deriveSessionKey } from '#core/session-key.ts';

const key = (seed: number) => deriveSessionKey(Buffer.alloc(32, seed));
const KEYS = sealingKeysOf([key(1), key(2)]);

const PLACE: EventPlace = {
  owner: { tenantId: 't', serverId: 's', principal: 'alice', applications: ['a'] },
  session: 'one',
};

const printable = fc
  .string({ minLength: 1, maxLength: 100 })
  .filter((text) => /^[\x20-\x7e]+$/.test(text) && text.trim() === text);

describe('an event id', () => {
  it('comes back as it was, through characters any header carries', () => {
    fc.assert(
      fc.property(printable, (id) => {
        const sealed = sealEventId(key(1), id, PLACE) ?? '';
        expect(sealed).toMatch(/^[\w.-]+$/);
        expect(openEventId(KEYS, sealed, PLACE)).toBe(id);
      }),
    );
  });

  it('is worth nothing in another session, to another owner, or under a key that is gone', () => {
    const sealed = sealEventId(key(1), 'e-1', PLACE) ?? '';
    const { owner } = PLACE;
    for (const place of [
      { ...PLACE, session: 'two' },
      { ...PLACE, session: '' },
      { ...PLACE, owner: { ...owner, principal: 'bob' } },
      { ...PLACE, owner: { ...owner, serverId: 't', tenantId: 's' } },
      { ...PLACE, owner: { ...owner, applications: [] } },
    ])
      expect(openEventId(KEYS, sealed, place)).toBeUndefined();
    expect(openEventId(sealingKeysOf([key(3)]), sealed, PLACE)).toBeUndefined();
  });

  it('cannot be made of another, or made up', () => {
    const [one = '', two = ''] = ['e-1', 'e-2'].map((id) => sealEventId(key(1), id, PLACE) ?? '');
    const [keyId, , mac] = one.split('.');
    const spliced = `${keyId}.${two.split('.')[1]}.${mac}`;
    const byOtherKey = `${key(2).id}.${one.split('.')[1]}.${mac}`;
    for (const text of ['', 'e-1', spliced, byOtherKey, one.slice(0, -1), `${one}A`, one.replace('.', '')])
      expect(openEventId(KEYS, text, PLACE), text).toBeUndefined();
    expect(openEventId(KEYS, one, PLACE)).toBe('e-1');
  });

  it.each(['', ' e', 'e ', 'a\tb', 'é', 'x'.repeat(1_025)])(
    'is not made of %j, which no header would bring back',
    (id) => {
      expect(sealEventId(key(1), id, PLACE)).toBeUndefined();
    },
  );
});
