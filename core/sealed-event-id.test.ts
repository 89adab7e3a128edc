// Properties of marked event ids: they come back as they were where they were seen, and nowhere else.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EventCall, type EventPlace, openEventId, sealEventId } from '#core/sealed-event-id.ts';
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
        const sealed = sealEventId(key(1), { id }, PLACE) ?? '';
        expect(sealed).toMatch(/^[\w.-]+$/);
        expect(openEventId(KEYS, sealed, PLACE)).toEqual({ id });
      }),
    );
  });

  it('says of which call it was, whatever that is named', () => {
    fc.assert(
      fc.property(
        printable,
        fc.string({ maxLength: 60 }),
        fc.oneof(fc.string({ maxLength: 60 }), fc.integer()),
        (id, tool, jsonRpcId) => {
          const call: EventCall = { method: 'tools/call', tool, jsonRpcId };
          const sealed = sealEventId(key(2), { id, call }, PLACE) ?? '';
          expect(sealed).toMatch(/^[\w.-]+$/);
          expect(openEventId(KEYS, sealed, PLACE)).toEqual({ id, call });
        },
      ),
    );
  });

  it('cannot be said to be of another call, or of none', () => {
    const seal = (tool: string) =>
      (sealEventId(key(1), { id: 'e-1', call: { method: 'tools/call', tool } }, PLACE) ?? '').split('.');
    const [[keyId, id, call, mac], [, , other]] = [seal('a'), seal('b')] as const;
    expect(openEventId(KEYS, [keyId, id, call, mac].join('.'), PLACE)?.call?.tool).toBe('a');
    for (const parts of [
      [keyId, id, other, mac],
      [keyId, id, mac],
      [keyId, call, mac],
    ])
      expect(openEventId(KEYS, parts.join('.'), PLACE)).toBeUndefined();
  });

  it('is not made for a call that no header would bring back', () => {
    const call = { method: 'tools/call', jsonRpcId: 'x'.repeat(1_024) };
    expect(sealEventId(key(1), { id: 'e-1', call }, PLACE)).toBeUndefined();
  });

  it('without a call is what it was before marks named any', () => {
    // Made by the release before: what clients hold must go on being worth something.
    const older = '6KKza6jx.ZS0x.B1DLUwo7cZXVuNPoUB1Pow';
    expect(openEventId(KEYS, older, PLACE)).toEqual({ id: 'e-1' });
  });

  it('is worth nothing in another session, to another owner, or under a key that is gone', () => {
    const sealed = sealEventId(key(1), { id: 'e-1' }, PLACE) ?? '';
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
    const [one = '', two = ''] = ['e-1', 'e-2'].map((id) => sealEventId(key(1), { id }, PLACE) ?? '');
    const [keyId, , mac] = one.split('.');
    const spliced = `${keyId}.${two.split('.')[1]}.${mac}`;
    const byOtherKey = `${key(2).id}.${one.split('.')[1]}.${mac}`;
    for (const text of ['', 'e-1', spliced, byOtherKey, one.slice(0, -1), `${one}A`, one.replace('.', '')])
      expect(openEventId(KEYS, text, PLACE), text).toBeUndefined();
    expect(openEventId(KEYS, one, PLACE)).toEqual({ id: 'e-1' });
  });

  it.each(['', ' e', 'e ', 'a\tb', 'é', 'x'.repeat(1_025)])(
    'is not made of %j, which no header would bring back',
    (id) => {
      expect(sealEventId(key(1), { id }, PLACE)).toBeUndefined();
    },
  );
});
