// Unit tests of gateway-certificate.ts: nobody gets a plain listener who thought of TLS, and nobody starts with files
// that Envoy would wait for without a word. What Envoy does with good ones is in test/integration/xds-transports.test.ts.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readGatewayCertificate, writeGatewayCertificate } from '#envoy/gateway-certificate.ts';
import { PUBLISH_CERTIFICATES } from '#test/support/publish-certificates.ts';

let directory: string;
const at = (name: string): string => join(directory, name);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'certificate-'));
  const { server, nextServer } = PUBLISH_CERTIFICATES;
  await writeFile(at('tls.pem'), server.certificate);
  await writeFile(at('tls.key'), server.key);
  await writeFile(at('other.key'), nextServer.key);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('the variables', () => {
  const read = (gatewayTls: boolean, gatewayCertificateFile: string, gatewayKeyFile: string) => () =>
    readGatewayCertificate({ gatewayTls, gatewayCertificateFile, gatewayKeyFile });

  it('want nothing without TLS', () => {
    expect(read(false, '', '')()).toBeUndefined();
  });

  it('are refused where files are named and TLS is off', () => {
    expect(read(false, '/tls.pem', '')).toThrow(/GATEWAY_TLS_CERTIFICATE_FILE: set GATEWAY_TLS=true/);
  });

  it('are refused without absolute paths of both', () => {
    expect(read(true, '/tls.pem', 'tls.key')).toThrow(/GATEWAY_TLS_KEY_FILE: .* absolute/);
    expect(read(true, '', '')).toThrow(/GATEWAY_TLS_CERTIFICATE_FILE.*GATEWAY_TLS_KEY_FILE/s);
  });
});

describe('the files', () => {
  const write = (certificate: string, key: string) =>
    writeGatewayCertificate(directory, { certificateFile: at(certificate), keyFile: at(key) });

  it.each([
    ['is not there', 'none.pem', 'tls.key'],
    ['holds no certificate', 'tls.key', 'tls.key'],
    ['has another key', 'tls.pem', 'other.key'],
  ])('are refused at the start where one %s', async (_, certificate, key) => {
    await expect(write(certificate, key)).rejects.toThrow(/Configuration is not valid/);
  });

  it('are named to Envoy and not copied', async () => {
    await write('tls.pem', 'tls.key');
    const document = await readFile(at('gateway-certificate.json'), 'utf8');
    expect(document).toContain(at('tls.key'));
    expect(document).not.toContain('PRIVATE KEY');
  });
});
