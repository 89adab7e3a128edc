// Unit tests of nack.ts.

import { describe, expect, it } from 'vitest';
import { cpuTimeOf } from '#test/support/cpu-time.ts';
import { isMentioned, ownReason, redactNack } from '#xds-server/stream/nack.ts';

describe('redactNack()', () => {
  it('keeps what an operator needs', () => {
    const text =
      "Only unique values for domains are permitted. Duplicate entry of domain same.example in 'tenant/acme'";
    expect(redactNack(text)).toBe(text);
    const types =
      "Didn't find a registered implementation for 'x' with type URL: type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
    expect(redactNack(types)).toBe(types);
    const names = 'Error adding/updating cluster(s) internationalmanufacturing/warehouseinventory/1.0.0: bad';
    expect(redactNack(names)).toBe(names);
  });

  it('leaves no half of a key where it stops reading', () => {
    expect(redactNack(`${'Ab3/'.repeat(1_000)} ${' '.repeat(80)}Zz9/Zz9/${'Zz9/'.repeat(20)}`)).not.toContain(
      'Zz9',
    );
  });

  it('takes no time over a text of megabytes', () => {
    const text = 'a.'.repeat(1_000_000);
    expect(cpuTimeOf(() => void redactNack(text))).toBeLessThan(500);
  });

  it.each([
    ['a token', `header eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln and more`, 'c2ln'],
    ['a bearer', 'value "Bearer abc.def" of a header', 'abc.def'],
    ['a key', '-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY----- in secret', 'MIIEvQ'],
    ['a key cut short', 'inline: -----BEGIN PRIVATE KEY-----\nMIIEvQ', 'MIIEvQ'],
    ['key material', `bytes ${'Ab3/'.repeat(20)}`, 'Ab3/Ab3/'],
    ['a named secret', 'client_secret: "hunter2 is long" near 1', 'hunter2'],
    ['an escaped secret', 'inline_string: "a\\"hunter2" near', 'hunter2'],
  ])('takes out %s', (_, text, secret) => {
    expect(redactNack(text)).not.toContain(secret);
    expect(redactNack(text)).toContain('[redacted]');
  });

  it('makes one short line of it', () => {
    const redacted = redactNack(`first\nsecond\t\u0000third ${'long words '.repeat(100)}`);
    expect(redacted.startsWith('first second third')).toBe(true);
    expect(redacted.length).toBe(300);
  });
});

describe('ownReason()', () => {
  const text =
    'Error adding/updating cluster(s) mcp.acme.files.1: no type, mcp.beta.files.1: bad key, mcp.acme.mail.1: no name';

  it('keeps what is about the resource and leaves out what is about others', () => {
    expect(ownReason(text, 'mcp.beta.files.1', ['mcp.acme.files.1', 'mcp.acme.mail.1'])).toBe(
      'mcp.beta.files.1: bad key',
    );
    expect(ownReason(text, 'mcp.acme.files.1', ['mcp.beta.files.1'])).toBe('mcp.acme.files.1: no type');
  });

  it('keeps the whole text where nothing of others was refused', () => {
    expect(ownReason('no virtual hosts', 'tenant/acme', [])).toBe('no virtual hosts');
  });

  it('tells nothing of a text that names others only', () => {
    expect(ownReason(text, 'mcp.gamma.files.1', ['mcp.beta.files.1'])).not.toContain('beta');
  });

  it('does not take a longer name for a shorter one', () => {
    expect(isMentioned("in 'tenant/acme-two'", 'tenant/acme')).toBe(false);
    expect(isMentioned('tenant/acme.', 'tenant/acme')).toBe(true);
    expect(isMentioned('cluster(s) mcp.acme.files.1.0: bad', 'mcp.acme.files.1')).toBe(false);
  });
});
