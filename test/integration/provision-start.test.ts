// `npm start` as its users meet it: the screen, quickstart.json, a second start, Ctrl-C, a kill, another start.

import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { createConnection } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signManifest } from '#registry/manifest/sign-manifest.ts';
import { bytesOf, manifest2 } from '#test/support/manifest-world.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { type ProductProcess, ROOT, startProductProcess } from '#test/support/product-process.ts';

/** Longest a warm start may take until it is ready, milliseconds. */
const WARM_START_MS = 10_000;
const STOP_MS = 15_000;

const PORTS = [
  'GATEWAY_PORT',
  'REGISTRY_PORT',
  'ENVOY_ADMIN_PORT',
  'DEMO_IDP_PORT',
  'DEMO_TRACKER_PORT',
  'DEMO_REPORTS_PORT',
];

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

const openPorts = async (running: ProductProcess): Promise<readonly string[]> => {
  const open = await Promise.all(PORTS.map((name) => answers(Number(running.environment[name]))));
  return PORTS.filter((_, index) => open[index]);
};

const shell = (command: string, running: ProductProcess) =>
  promisify(execFile)('bash', ['-c', command], {
    cwd: ROOT,
    env: { ...process.env, ...running.environment },
  });

/** The commands of the screen that begin with curl, whole, as one would paste them. */
const pastedCalls = (screen: string): readonly string[] =>
  [...screen.matchAll(/^ *(curl(?:.*\\\n)+.*)$/gm)].map((match) => match[1] ?? '');

let product: Product;

beforeAll(async () => {
  product = await startProduct();
}, 300_000);

afterAll(() => product.stop());

describe('the screen', () => {
  it('shows one call that is allowed and one that is denied, ready to paste', async () => {
    const [allowed, denied, ...others] = pastedCalls(product.process.screen());
    expect(others).toEqual([]);
    const yes = await shell(allowed ?? '', product.process);
    expect(yes.stdout).toContain('The door squeaks');
    expect(yes.stdout).not.toContain('"error"');
    const no = await shell(denied ?? '', product.process);
    expect(no.stdout).toContain('"tool_not_granted"');
  });

  it('shows no token and no output of the parts', () => {
    expect(product.process.screen()).not.toMatch(/eyJ|"level"/);
  });
});

describe('quickstart.json', () => {
  it('says where everything is', () => {
    const { quickstart } = product;
    expect(quickstart).toMatchObject({
      gateway: expect.stringMatching(/^http/),
      registry: expect.stringMatching(/^http/),
      envoyAdmin: expect.stringMatching(/^http/),
      issuer: expect.stringMatching(/\/v2\.0$/),
      tenant: 'default',
      tokenCommand: expect.stringContaining('npm run'),
      adminTokenCommand: 'npm run -s token -- --admin',
    });
    const key = JSON.parse(readFileSync(quickstart.publisher.privateKeyFile, 'utf8'));
    expect(key).toMatchObject({ kid: quickstart.publisher.kid, alg: 'ES256', d: expect.any(String) });
    expect(statSync(quickstart.publisher.privateKeyFile).mode & 0o777).toBe(0o600);
    expect(quickstart.servers.map(({ id }) => id)).toEqual(['tracker', 'reports']);
    expect(quickstart.users.map(({ name }) => name)).toEqual(['alice', 'bob', 'olga', 'paula']);
  });

  it('names a key whose publisher may publish versions of the servers', async () => {
    const { publisher, registry, tenant } = product.quickstart;
    const port = product.process.environment['DEMO_TRACKER_PORT'];
    const bytes = bytesOf(manifest2({ version: '1.9.0', endpoints: [`http://127.0.0.1:${port}/mcp`] }));
    const jwk = JSON.parse(readFileSync(publisher.privateKeyFile, 'utf8'));
    const now = Math.floor(Date.now() / 1_000);
    const signature = await signManifest(bytes, jwk, {
      alg: 'ES256',
      kid: publisher.kid,
      aud: `urn:mcpgw:tenant:${tenant}`,
      iat: now,
      exp: now + 60,
      jti: `start-${now}`,
    });
    const response = await fetch(`${registry}/v1/tenants/${tenant}/manifests?dryRun=true`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-jws-signature': signature },
      body: new Uint8Array(bytes),
    });
    expect(await response.json()).toMatchObject({ server: 'tracker', accepted: true, errors: [] });
  });

  it('leads to a registry with its OpenAPI document', async () => {
    const response = await fetch(`${product.quickstart.registry}/openapi.json`);
    expect(await response.json()).toMatchObject({ openapi: expect.stringMatching(/^3\.1/) });
  });
});

describe('a second start', () => {
  it('beside a running one names every port that is taken', async () => {
    const second = startProductProcess({
      GATEWAY_PORT: product.process.environment['GATEWAY_PORT'] ?? '',
      DEMO_IDP_PORT: product.process.environment['DEMO_IDP_PORT'] ?? '',
    });
    await expect(second).rejects.toThrow(/choose others: GATEWAY_PORT=\d+ DEMO_IDP_PORT=\d+ npm start/);
    await expect(second).rejects.toThrow(/port \d+ \(GATEWAY_PORT\) is taken/);
    await expect(second).rejects.toThrow(/port \d+ \(DEMO_IDP_PORT\) is taken/);
  });

  it('on the sockets of a running one says so', async () => {
    const directory = product.process.environment['MCPGW_RUNTIME_DIR'] ?? '';
    await expect(startProductProcess({ MCPGW_RUNTIME_DIR: directory })).rejects.toThrow(
      'another gateway runs on the sockets',
    );
  });
});

describe('the end', () => {
  const settings = { displayName: 'Renamed', accessContact: 'help@contoso.example', allowedOrigins: [] };

  it('comes with Ctrl-C, in order, with nothing left', async () => {
    const tenant = await product.registry('GET', '/v1/tenants/default');
    const changed = await product.registry('PUT', '/v1/tenants/default', settings, {
      'if-match': tenant.etag,
    });
    expect(changed.status).toBe(200);
    const { code, tookMs } = await product.process.interrupt();
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(STOP_MS);
    expect(product.process.screen()).toMatch(/stopping\nstopped\n$/);
    expect(await openPorts(product.process)).toEqual([]);
  });

  it('is followed by a quick start that keeps what people changed', async () => {
    const startedAt = Date.now();
    const again = await product.process.restart();
    const tookMs = Date.now() - startedAt;
    expect(again.screen()).toContain('unchanged');
    const token = await product.token('--admin');
    const response = await fetch(`${again.quickstart.registry}/v1/tenants/default`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(await response.json()).toMatchObject(settings);
    await again.killSupervisor();
    await expect.poll(() => openPorts(again), { timeout: STOP_MS, interval: 100 }).toEqual([]);
    expect(tookMs).toBeLessThan(WARM_START_MS);
  });
});
