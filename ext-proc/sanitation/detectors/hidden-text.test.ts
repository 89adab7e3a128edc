import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hiddenText } from '#ext-proc/sanitation/detectors/hidden-text.ts';
import { foundIn } from '#test/support/found-in.ts';

const kindsIn = async (text: string) => (await foundIn(hiddenText, text)).map((found) => found.split(':')[0]);

describe('hidden text', () => {
  it.each([
    ['zero-width', 'ig\u200bnore'],
    ['zero-width', 'ig\u200dnore'],
    ['zero-width', 'a\u2060b'],
    ['zero-width', 'a\u3164b'],
    ['zero-width', 'in the middle \ufeff of it'],
    ['bidirectional', 'a\u202etxt.exe'],
    ['bidirectional', 'a\u2066b\u2069'],
    ['bidirectional', 'a\u200eb'],
    ['tag', 'hi\u{e0069}\u{e0067}\u{e006e}'],
    ['variation-selector', 'smile\u{e0101}\u{e0142}\u{e0155}'],
    ['variation-selector', '😀\ufe0f\ufe01\ufe02'],
    ['soft-hyphen', 'a\u00ad\u00ad\u00adb'],
    ['control', 'a\u001b[8mb'],
    ['control', 'a\0b'],
    ['control', 'a\u009bb'],
  ])('finds %s characters', async (kind, text) => {
    expect(new Set(await kindsIn(text))).toEqual(new Set([kind]));
  });

  it.each([
    ['emoji joined and styled', '👩‍💻 👨‍👩‍👧 ✔️ ❤️‍🔥 1️⃣ 🏳️‍🌈 👋🏽'],
    ['a flag of a region', 'Hen wlad 🏴󠁧󠁢󠁷󠁬󠁳󠁿 fy nhadau'],
    ['Persian', 'می‌خواهم کتاب‌ها'],
    ['Hindi and Kannada', 'क्‍ष ಕ್‌ಷ'],
    ['Hebrew with a direction mark behind its full stop', 'שלום (2)\u200f and שלום.\u200f'],
    ['Thai with breaks between words', 'ภาษา\u200bไทย'],
    ['a Japanese name in its own form', '葛\u{e0100}城市'],
    ['a hyphenated word', 'Donau\u00addampf\u00adschiff'],
    ['plain white space', 'a\tb\r\nc\fd'],
    ['a byte-order mark at the very start', '\ufeff{"a":1}'],
  ])('lets be %s', async (_, text) => {
    expect(await foundIn(hiddenText, text)).toEqual([]);
  });

  it('tells one run as one finding, in its place', async () => {
    expect(await hiddenText.scan('🚀 ab\u200b\u200c\u200bcd\u202e', {})).toEqual([
      { kind: 'zero-width', start: 5, end: 8 },
      { kind: 'bidirectional', start: 10, end: 11 },
    ]);
  });

  it('finds nothing in printable ASCII', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme-ascii' }), async (text) => {
        expect(await foundIn(hiddenText, text)).toEqual([]);
      }),
    );
  });
});
