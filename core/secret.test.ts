// A secret gives its text to who asks for it by name, and to nothing that prints. What a heap holds of it is looked at in
// a real process: test/integration/token-secrets.test.ts.

import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '#core/secret.ts';

describe('a secret', () => {
  it('reveals what it was made of, and so does one that is kept', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const secret = new Secret(text);
        expect([secret.reveal(), secret.kept().reveal()]).toEqual([text, text]);
        expect(secret.kept().byteLength).toBe(Buffer.byteLength(text));
      }),
    );
  });

  it('shares no memory once it is kept', () => {
    const bytes = Buffer.from('first');
    const secret = new Secret(bytes);
    const kept = secret.kept();
    bytes.write('other');
    expect([secret.reveal(), kept.reveal()]).toEqual(['other', 'first']);
  });

  it('is printed by nothing', () => {
    const secret = new Secret('s3cret');
    const printed = [
      `${secret}`,
      String(secret),
      JSON.stringify({ secret }),
      inspect({ secret }, { showHidden: true }),
    ];
    expect(printed.join()).not.toContain('s3cret');
    expect(printed[0]).toBe('[redacted]');
  });
});
