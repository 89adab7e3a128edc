import { describe, expect, it } from 'vitest';
import { isBase64 } from '#ext-proc/message/binary-content.ts';

const MIB = 1024 * 1024;

describe('isBase64()', () => {
  it.each(['', 'QQ==', 'QUE=', 'QUFB', 'a+/9', 'A'.repeat(8 * MIB)])(
    'takes bytes in base64 (case %#)',
    (text) => {
      expect(isBase64(text)).toBe(true);
    },
  );

  it.each([
    'Q',
    'QQ',
    'QQ=',
    'Q===',
    '====',
    'QQ==QQ==',
    'QQ=A',
    'a-_9',
    'a b ',
    'QUFB\n',
    `${'A'.repeat(8 * MIB)}ü+/A`,
  ])('takes nothing else (case %#)', (text) => {
    expect(isBase64(text)).toBe(false);
  });
});
