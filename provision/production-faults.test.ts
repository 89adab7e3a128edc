import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { APPLICATIONS } from '#demo/directory.ts';
import { writeSecretFiles } from '#demo/supervisor/secret-files.ts';
import { findProductionFaults, type ProductionSettings } from '#provision/production-faults.ts';

let directory: string;
let settings: ProductionSettings;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mcpgw-production-'));
  settings = {
    adminIssuer: 'https://login.example.com/tenant/v2.0',
    adminJwksUri: 'https://login.example.com/tenant/keys',
    adminAudience: 'registry',
    publicUrl: 'https://gateway.example.com',
    secretsDirectory: join(directory, 'secrets'),
    stateDirectory: join(directory, 'state'),
    gatewayTls: true,
    demoDebug: false,
  };
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const ALL = ['registry', 'xds-server', 'ext-authz', 'ext-proc', 'envoy'];

/** Those of the gateway's own applications, which are files. */
const SECRETS = APPLICATIONS.filter(({ name, secret }) => name.startsWith('gateway-') && secret).length;

describe('production', () => {
  it('starts where nothing of the demo is', () => {
    mkdirSync(settings.secretsDirectory);
    writeFileSync(join(settings.secretsDirectory, 'app'), 'b7f0a9c1d2');
    expect(findProductionFaults(settings, ALL)).toEqual([]);
  });

  it('starts a sign-in façade that people reach over https, and no other', () => {
    const faultsAt = (facadeUrl: string) =>
      findProductionFaults({ ...settings, facadeUrl }, [...ALL, 'oauth-facade']);
    expect(faultsAt('https://sign-in.example.com')).toEqual([]);
    expect(faultsAt('http://sign-in.example.com')).toEqual([
      expect.stringContaining('OAUTH_FACADE_PUBLIC_URL must be an https URL'),
    ]);
  });

  it.each(['http://127.0.0.1:9000/3f1c7a52-6d0e-4b8a-9c41-0a5e6b7d8c10/v2.0', 'http://login.example.com'])(
    'refuses the admin issuer %j',
    (adminIssuer) => {
      expect(findProductionFaults({ ...settings, adminIssuer }, ALL)).toEqual([
        expect.stringContaining('ADMIN_ISSUER must be an https URL'),
      ]);
    },
  );

  it('refuses to be known by a plain address where it speaks TLS only', () => {
    const publicUrl = 'http://gateway.example.com';
    expect(findProductionFaults({ ...settings, publicUrl, gatewayTls: false }, ALL)).toEqual([]);
    expect(findProductionFaults({ ...settings, publicUrl }, ALL)).toEqual([
      expect.stringContaining('GATEWAY_PUBLIC_URL must be an https URL'),
    ]);
  });

  it('asks for what is missing', () => {
    const bare = { ...settings, adminIssuer: '', adminJwksUri: '', adminAudience: '', publicUrl: '' };
    expect(findProductionFaults(bare, ALL)).toEqual([
      expect.stringContaining('ADMIN_ISSUER is required'),
      expect.stringContaining('ADMIN_JWKS_URI is required'),
      expect.stringContaining('ADMIN_AUDIENCE is required'),
      expect.stringContaining('GATEWAY_PUBLIC_URL is required'),
    ]);
  });

  it("refuses a secret of the demo among another tenant's", () => {
    writeSecretFiles(join(settings.secretsDirectory, 'second-tenant'));
    expect(findProductionFaults(settings, ALL)).toHaveLength(SECRETS);
  });

  it('refuses every secret of the demo, and does not repeat it', () => {
    writeSecretFiles(settings.secretsDirectory);
    const faults = findProductionFaults(settings, ALL);
    expect(faults).toHaveLength(SECRETS);
    for (const { secret } of APPLICATIONS)
      if (secret !== undefined) expect(faults.join()).not.toContain(secret);
  });

  it('knows every secret of the demo by its form', () => {
    const secrets = APPLICATIONS.flatMap(({ secret }) => secret ?? []);
    expect(secrets.filter((secret) => !secret.endsWith('-demo-secret'))).toEqual([]);
  });

  it('refuses the state of a demo', () => {
    mkdirSync(settings.stateDirectory);
    writeFileSync(join(settings.stateDirectory, 'seed.sha256'), 'x');
    expect(findProductionFaults(settings, ALL)).toEqual([expect.stringContaining("holds the demo's data")]);
  });

  it('asks each service only for what it uses', () => {
    const bare = { ...settings, adminIssuer: '', adminJwksUri: '', adminAudience: '', publicUrl: '' };
    expect(findProductionFaults(bare, ['xds-server'])).toEqual([]);
    expect(findProductionFaults(bare, ['ext-authz'])).toHaveLength(1);
    expect(findProductionFaults(bare, ['registry'])).toHaveLength(3);
  });
});
