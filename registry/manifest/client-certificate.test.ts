// Unit tests of client-certificate.ts: what Envoy writes is read, and nothing that only resembles it.

import { describe, expect, it } from 'vitest';
import { isBound, parseForwardedCertificate } from '#registry/manifest/client-certificate.ts';
import { PUBLISH_CERTIFICATES } from '#test/support/publish-certificates.ts';
import { spkiOf } from '#test/support/spki.ts';

const HASH = 'a'.repeat(64);
const pem = (name: keyof typeof PUBLISH_CERTIFICATES): string => PUBLISH_CERTIFICATES[name].certificate;
const cert = (name: keyof typeof PUBLISH_CERTIFICATES): string => `Cert="${encodeURIComponent(pem(name))}"`;

const isRefused = (header: string): boolean => !parseForwardedCertificate(header).ok;

describe('parseForwardedCertificate()', () => {
  it('reads key and names of the certificate', () => {
    expect(parseForwardedCertificate(`Hash=${HASH};${cert('byUri')}`)).toEqual({
      ok: true,
      value: {
        'spki-sha256': [spkiOf(pem('byUri'))],
        'san-uri': ['spiffe://example.com/tracker-ci'],
        'san-dns': [],
      },
    });
  });

  it('passes over the names of our own certificate', () => {
    const header = `By=spiffe://example.com/registry;By=urn:x;Hash=${HASH};${cert('byDns')}`;
    const parsed = parseForwardedCertificate(header);
    expect(parsed.ok && parsed.value['san-dns']).toEqual(['tracker-ci.example']);
  });

  it('reads a name that holds a comma as one name', () => {
    const parsed = parseForwardedCertificate(`Hash=${HASH};${cert('tricky')}`);
    expect(parsed.ok && [parsed.value['san-uri'], parsed.value['san-dns']]).toEqual([
      ['https://x.example/", URI:spiffe://example.com/tracker-ci'.replace('"', '')],
      ['a.example, uri:spiffe://example.com/tracker-ci'],
    ]);
  });

  it.each([
    ['nothing', ''],
    ['no certificate', `Hash=${HASH}`],
    ['no hash', cert('byUri')],
    ['two elements', `Hash=${HASH};${cert('stranger')},Hash=${HASH};${cert('byUri')}`],
    ['two certificates', `Hash=${HASH};${cert('stranger')};${cert('byUri')}`],
    ['a certificate inside By', `By="x;${cert('byUri')}";Hash=${HASH};${cert('stranger')}`],
    ['an element inside By', `By=x,Hash=${HASH};${cert('byUri')}`],
    ['text behind the certificate', `Hash=${HASH};${cert('byUri')};URI=spiffe://example.com/other`],
    ['a certificate without quotes', `Hash=${HASH};Cert=${encodeURIComponent(pem('byUri'))}`],
    ['a certificate that is none', `Hash=${HASH};Cert="abc"`],
    ['broken escapes', `Hash=${HASH};Cert="%E0%A4%A"`],
    ['a certificate longer than any', `Hash=${HASH};Cert="${'A'.repeat(49_153)}"`],
  ])('refuses %s', (_, header) => {
    expect(isRefused(header)).toBe(true);
  });

  it('repeats nothing of what it refuses', () => {
    const refused = parseForwardedCertificate(`Hash=${HASH};Cert="hunter2"`);
    expect(JSON.stringify(refused)).not.toContain('hunter2');
  });
});

describe('isBound()', () => {
  const parsed = parseForwardedCertificate(`Hash=${HASH};${cert('byUri')}`);
  const certificate = parsed.ok ? parsed.value : undefined;

  it('compares names of one kind only', () => {
    if (certificate === undefined) throw new Error('not read');
    const value = 'spiffe://example.com/tracker-ci';
    expect(isBound(certificate, [{ kind: 'san-uri', value }])).toBe(true);
    expect(isBound(certificate, [{ kind: 'san-dns', value }])).toBe(false);
    expect(isBound(certificate, [])).toBe(false);
    expect(isBound(certificate, undefined)).toBe(false);
  });
});
