import { describe, expect, it } from 'vitest';
import { createHeldBody } from '#ext-proc/framing/held-body.ts';

describe('createHeldBody', () => {
  it('gives back what it was given, once', () => {
    const body = createHeldBody(10);
    expect(body.push(Buffer.from('abc')).ok && body.push(Buffer.from('defghij')).ok).toBe(true);
    expect(body.heldBytes()).toBe(10);
    expect(String(body.take())).toBe('abcdefghij');
    expect(body.heldBytes()).toBe(0);
  });

  it('lets go of everything at the first byte over the cap', () => {
    const body = createHeldBody(3);
    body.push(Buffer.from('abc'));
    expect(body.push(Buffer.from('d'))).toEqual({ ok: false, error: 'answer_too_large' });
    expect(body.heldBytes()).toBe(0);
  });
});
