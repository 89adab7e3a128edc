import { describe, expect, it } from 'vitest';
import { createHeldBody } from '#ext-proc/framing/held-body.ts';

describe('createHeldBody', () => {
  it('gives back what it was given, once', () => {
    const body = createHeldBody(10);
    expect(body.push(Buffer.from('abc')) && body.push(Buffer.from('defghij'))).toBe(true);
    expect(body.heldBytes()).toBe(10);
    expect(String(body.take())).toBe('abcdefghij');
    expect(body.heldBytes()).toBe(0);
  });

  it('does not take what is over the cap', () => {
    const body = createHeldBody(3);
    body.push(Buffer.from('abc'));
    expect(body.push(Buffer.from('d'))).toBe(false);
    expect(String(body.take())).toBe('abc');
  });
});
