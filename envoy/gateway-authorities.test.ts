// Unit tests of gateway-authorities.ts.
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GATEWAY_AUTHORITIES_DOCUMENT } from '#core/gateway-certificate.ts';
import { readGatewayAuthorities, writeGatewayAuthorities } from '#envoy/gateway-authorities.ts';

const OFF = {
  gatewayTls: true,
  gatewayClientCertificates: false,
  gatewayClientCaFile: '',
  gatewayClientCrlFile: '',
};
const ON = { ...OFF, gatewayClientCertificates: true, gatewayClientCaFile: '/etc/clients.pem' };

describe('readGatewayAuthorities()', () => {
  it('wants nothing where clients are not asked, and the files where they are', () => {
    expect(readGatewayAuthorities(OFF)).toBeUndefined();
    expect(readGatewayAuthorities(ON)).toEqual({ caFile: '/etc/clients.pem', crlFile: '' });
  });

  it.each([
    ['no authority', { ...ON, gatewayClientCaFile: '' }, 'GATEWAY_CLIENT_CA_FILE'],
    ['a relative path', { ...ON, gatewayClientCaFile: 'clients.pem' }, 'GATEWAY_CLIENT_CA_FILE'],
    ['a relative list', { ...ON, gatewayClientCrlFile: 'clients.crl' }, 'GATEWAY_CLIENT_CRL_FILE'],
    ['a listener without TLS', { ...ON, gatewayTls: false }, 'GATEWAY_CLIENT_CERTIFICATES'],
    ['files nobody asked for', { ...OFF, gatewayClientCaFile: '/etc/a.pem' }, 'GATEWAY_CLIENT_CA_FILE'],
    ['a list nobody asked for', { ...OFF, gatewayClientCrlFile: '/etc/a.crl' }, 'GATEWAY_CLIENT_CRL_FILE'],
  ])('refuses %s', (_title, config, name) => {
    expect(() => readGatewayAuthorities(config)).toThrow(name);
  });
});

describe('writeGatewayAuthorities()', () => {
  it('leads Envoy to the files, and is for its owner only', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'authorities-'));
    await writeGatewayAuthorities(directory, { caFile: '/etc/a.pem', crlFile: '/etc/a.crl' });
    const path = join(directory, GATEWAY_AUTHORITIES_DOCUMENT);
    const text = await readFile(path, 'utf8');
    expect(JSON.parse(text)).toMatchObject({
      resources: [
        {
          validation_context: {
            trusted_ca: { filename: '/etc/a.pem' },
            crl: { filename: '/etc/a.crl' },
          },
        },
      ],
    });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await rm(directory, { recursive: true });
  });
});
