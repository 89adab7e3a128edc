// Unit tests of address.ts.
import { describe, expect, it } from 'vitest';
import { formatAddress, grpcTarget, parseLocalAddress } from '#runtime/address.ts';

describe('parseLocalAddress()', () => {
  it.each([
    ['unix:/run/mcpgw/x.sock', { kind: 'unix', path: '/run/mcpgw/x.sock' }],
    ['127.0.0.1:8080', { kind: 'tcp', host: '127.0.0.1', port: 8080 }],
    ['127.8.9.1:1', { kind: 'tcp', host: '127.8.9.1', port: 1 }],
    ['localhost:0', { kind: 'tcp', host: 'localhost', port: 0 }],
    ['[::1]:9', { kind: 'tcp', host: '::1', port: 9 }],
  ])('takes %s', (text, address) => {
    expect(parseLocalAddress(text)).toEqual({ ok: true, value: address });
  });

  it.each([
    '0.0.0.0:8080',
    '[::]:8080',
    '10.0.0.1:8080',
    'example.com:80',
    '[::ffff:10.0.0.1]:80',
    'unix:relative.sock',
    `unix:/${'x'.repeat(103)}`,
    '127.0.0.1',
    '127.0.0.1:70000',
    '',
  ])('refuses %s', (text) => {
    expect(parseLocalAddress(text).ok).toBe(false);
  });
});

describe('formatting an address', () => {
  it('gives back what was parsed', () => {
    for (const text of ['unix:/a/b.sock', '127.0.0.1:80', '[::1]:80']) {
      const parsed = parseLocalAddress(text);
      if (!parsed.ok) throw new Error(parsed.error);
      expect(formatAddress(parsed.value)).toBe(text);
      expect(grpcTarget(parsed.value)).toBe(text);
    }
  });
});
