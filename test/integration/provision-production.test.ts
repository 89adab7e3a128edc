// `npm run start:production`: what it refuses, and that it serves without anything of the demo.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeSecretFiles } from '#demo/supervisor/secret-files.ts';
import { findFreePorts } from '#test/support/free-ports.ts';
import { ROOT } from '#test/support/product-process.ts';

let directory: string;
let environment: Record<string, string>;
let running: ChildProcess | undefined;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'mcpgw-'));
  const [gateway, registry, admin] = (await findFreePorts(3)).map(String);
  environment = {
    GATEWAY_PORT: gateway ?? '',
    REGISTRY_PORT: registry ?? '',
    ENVOY_ADMIN_PORT: admin ?? '',
    MCPGW_RUNTIME_DIR: join(directory, 'run'),
    MCPGW_STATE_DIR: join(directory, 'state'),
    MCPGW_LOG_DIR: join(directory, 'logs'),
    SECRETS_DIRECTORY: join(directory, 'secrets'),
  };
});

afterEach(async () => {
  if (running !== undefined && running.exitCode === null) {
    const exited = once(running, 'exit');
    running.kill('SIGTERM');
    await exited;
  }
  running = undefined;
  rmSync(directory, { recursive: true, force: true });
});

const ADMIN = {
  ADMIN_ISSUER: 'https://login.example.com/t/v2.0',
  ADMIN_JWKS_URI: 'https://login.example.com/t/keys',
  ADMIN_AUDIENCE: 'registry',
  GATEWAY_PUBLIC_URL: 'https://gateway.example.com',
};

/** Starts it and resolves once it says `ready`, or has ended; with what it printed. */
const start = (overrides: Record<string, string>): Promise<{ code: number | null; text: string }> =>
  new Promise((resolve) => {
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', 'provision/production.ts'],
      {
        cwd: ROOT,
        env: { ...process.env, ...environment, ...overrides },
      },
    );
    running = child;
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (/^ready/m.test(text)) resolve({ code: null, text });
      });
    child.once('close', (code) => resolve({ code, text }));
  });

it('says everything that is missing at once', async () => {
  const { code, text } = await start({});
  expect(code).toBe(1);
  for (const name of Object.keys(ADMIN)) expect(text).toContain(name);
});

it("refuses the demo's identity provider and its secrets", async () => {
  writeSecretFiles(join(directory, 'secrets'));
  const { code, text } = await start({ ...ADMIN, ADMIN_ISSUER: 'http://127.0.0.1:9000/x/v2.0' });
  expect(code).toBe(1);
  expect(text).toContain('ADMIN_ISSUER must be an https URL');
  expect(text).toContain('SECRETS_DIRECTORY holds a demo secret');
});

it('serves, knows nobody, and ends on a signal', async () => {
  const { text } = await start(ADMIN);
  expect(text).toMatch(/^ready/m);
  const call = await fetch(`http://127.0.0.1:${environment['GATEWAY_PORT']}/mcp/tracker`, {
    method: 'POST',
    body: '{}',
  });
  expect(call.status).toBe(404);
  const list = await fetch(`http://127.0.0.1:${environment['REGISTRY_PORT']}/v1/tenants`);
  expect(list.status).toBe(401);
  const exited = once(running as ChildProcess, 'exit');
  running?.kill('SIGTERM');
  expect((await exited)[0]).toBe(0);
}, 60_000);
