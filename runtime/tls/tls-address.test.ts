// Unit tests of tls-address.ts: which addresses a service may have, and with whom.

import { describe, expect, it } from 'vitest';
import type { Environment } from '#runtime/config.ts';
import { dialledAddress, servedAddress } from '#runtime/tls/tls-address.ts';

const TLS = {
  INTERNAL_TLS_CERTIFICATE_FILE: '/tls/certificate.pem',
  INTERNAL_TLS_KEY_FILE: '/tls/key.pem',
  INTERNAL_TLS_CA_FILE: '/tls/ca.pem',
};

const served = (text: string, environment: Environment) =>
  servedAddress('XDS_ADDRESS', '').parse(text, environment);
const dialled = (text: string, environment: Environment) =>
  dialledAddress('XDS_ADDRESS', '').parse(text, environment);

describe('without a certificate', () => {
  it.each(['unix:/run/x.sock', '127.0.0.1:7001', '[::1]:7001'])('%s is plain', (text) => {
    expect(served(text, {})).toMatchObject({ ok: true });
    expect(JSON.stringify(dialled(text, {}))).not.toContain('peers');
  });

  it.each(['0.0.0.0:7001', 'xds.example.com:7001'])('%s is refused, and what to set is said', (text) => {
    for (const parsed of [served(text, {}), dialled(text, {})]) {
      expect(parsed.ok).toBe(false);
      expect(JSON.stringify(parsed)).toMatch(/INTERNAL_TLS_CERTIFICATE_FILE.*INTERNAL_TLS_CA_FILE/);
    }
  });
});

describe('with a certificate', () => {
  const allowed = { ...TLS, XDS_ALLOWED_SANS: 'spiffe://example.com/edge/*, Envoy.example.com' };

  it('a Unix socket stays plain', () => {
    expect(JSON.stringify(served('unix:/run/x.sock', allowed))).not.toContain('peers');
  });

  it.each(['0.0.0.0:7001', '127.0.0.1:7001'])('%s lets in whoever is listed', (text) => {
    expect(served(text, allowed)).toMatchObject({
      value: {
        peers: [
          { kind: 'uri', text: 'spiffe://example.com/edge/*' },
          { kind: 'dns', text: 'envoy.example.com' },
        ],
      },
    });
  });

  it('a server without a list does not start, nor one with a list that cannot be read', () => {
    expect(JSON.stringify(served('0.0.0.0:7001', TLS))).toContain('XDS_ALLOWED_SANS is required');
    const parsed = served('0.0.0.0:7001', { ...TLS, XDS_ALLOWED_SANS: 'spiffe://*/edge' });
    expect(JSON.stringify(parsed)).toContain('XDS_ALLOWED_SANS: a URI may have one *');
  });

  it('a client expects the host of the address, or the names that are given', () => {
    expect(dialled('xds.example.com:7001', TLS)).toMatchObject({
      value: { peers: [{ kind: 'dns', text: 'xds.example.com' }] },
    });
    expect(
      dialled('xds.example.com:7001', { ...TLS, XDS_SERVER_SANS: 'spiffe://example.com/xds-server' }),
    ).toMatchObject({ value: { peers: [{ kind: 'uri', text: 'spiffe://example.com/xds-server' }] } });
  });
});
