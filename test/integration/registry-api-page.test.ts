// docs/registry-api.md, every command of it in its order, with curl against a registry that runs as a process.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import {
  ADMIN_AUDIENCE,
  ADMIN_ISSUER,
  ADMIN_KEY,
  adminToken,
  callApi,
} from '#test/integration/registry-harness.ts';
import { type Ended, runCommands, shellBlocks } from '#test/support/documented-commands.ts';
import { findFreePorts } from '#test/support/free-ports.ts';
import { ROOT } from '#test/support/product-process.ts';
import { createTestAuthority } from '#test/support/test-authority.ts';
import { type KeyServer, publishKey, startKeyServer } from '#test/support/token-issuer.ts';

const PAGE = readFileSync(join(ROOT, 'docs', 'registry-api.md'), 'utf8');
const SCRIPTS = ['manifest:keygen', 'manifest:sign', 'manifest:verify', 'audit:verify', 'audit:checkpoint'];

let directory: string;
let keyServer: KeyServer;
let registry: ChildProcess;
let url: string;

const startRegistry = async (): Promise<ChildProcess> => {
  const [port = 0] = await findFreePorts(1);
  url = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'registry/main.ts'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      MCPGW_STATE_DIR: join(directory, 'state'),
      AUDIT_CHECKPOINT_SECONDS: '1',
      MCPGW_RUNTIME_DIR: join(directory, 'run'),
      REGISTRY_PORT: String(port),
      ADMIN_ISSUER,
      ADMIN_AUDIENCE,
      ADMIN_JWKS_URI: keyServer.url,
    },
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  await vi.waitFor(() => expect(output).toContain('registry ready'), 30_000);
  return child;
};

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'page-'));
  keyServer = await startKeyServer([publishKey(ADMIN_KEY)]);
  registry = await startRegistry();
});

afterAll(async () => {
  registry.kill('SIGKILL');
  if (registry.exitCode === null) await once(registry, 'exit');
  await keyServer.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** What the commands below each heading printed. */
const outputs = ({ stdout }: Ended): ReadonlyMap<string, string> =>
  new Map(
    stdout
      .split('\n### ')
      .slice(1)
      .map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)] as const)
      .reduce((all, [heading, text]) => all.set(heading, `${all.get(heading) ?? ''}${text}`), new Map()),
  );

it('leads through every task, and each command does what the page says', async () => {
  const blocks = shellBlocks(PAGE);
  expect(blocks.length).toBeGreaterThan(15);
  const machinesCa = join(directory, 'machines-ca.pem');
  writeFileSync(machinesCa, createTestAuthority('machines').certificate);
  const ended = await runCommands(blocks, {
    directory,
    scripts: SCRIPTS,
    variables: {
      REGISTRY: url,
      POLICIES: join(ROOT, 'policies'),
      MACHINES_CA: machinesCa,
      MCPGW_STATE_DIR: join(directory, 'state'),
      PLATFORM_TOKEN: await adminToken(['platform-admin']),
      TOKEN: await adminToken(['admin:acme']),
      REVIEWER_TOKEN: await adminToken(['admin:acme'], { sub: 'bob' }),
    },
  });
  expect(ended.code, `${ended.stderr}\n${ended.stdout.slice(-1_500)}`).toBe(0);
  const said = outputs(ended);
  expect(said.get('Publish a version and put it into service')).toMatch(/^1\n[\s\S]*^approved$/m);
  expect(said.get('Let a team publish by itself')).toMatch(/"requiredScopes \/tools\/[\s\S]*^approved$/m);
  // Nobody has listed its tools through a gateway.
  expect(said.get('See what a server says otherwise than was approved')).toBe('\n[]\n');
  expect(said.get('Trust an issuer')).toContain('"issuer": "https://acme.okta.com/oauth2/default"');
  expect(said.get('Grant access')).toContain('"id": "engineering"');
  expect(said.get('Say what answers may hold')).toMatch(/"name": "customer-numbers"[\s\S]*"hidden-text"/);
  expect(said.get('Hear of revocations from the provider')).toMatch(/^shared-signals$/m);
  expect(said.get('Let a team publish by itself')).toMatch(/^true\n/m);
  // No Envoy follows this registry.
  expect(said.get('Wait until it is served')).toMatch(/^rollout-state: pending\r?\n[\s\S]*^pending$/m);
  const [first, second] =
    (said.get('End open streams, and retry safely') ?? '').match(/^[0-9a-f-]{36}$/gm) ?? [];
  expect(first).toBeDefined();
  expect(second).toBe(first);
  expect(said.get('Judge by rules of your own')).toMatch(
    /"digest": "[0-9a-f]{64}"[\s\S]*^[A-Za-z0-9_-]{43}$/m,
  );
  expect(said.get('Read the audit')).toMatch(/restore revisions\/\d+/);
  expect(said.get('Read the audit')).toMatch(/^registry .* integrity ok; completeness ok$/m);
  expect(said.get('Read long lists')).toMatch(/^304$/m);
  expect(said.get('Read a refusal')).toContain('"pointer":"/tools"');
  const read = (path: string) => callApi(`${url}/v1/tenants/acme${path}`, 'GET');
  expect((await read('/servers/tracker')).body).toMatchObject({ activeVersion: '1.0.0', enabled: true });
  expect((await read('/admin-issuer')).body).toMatchObject({ audience: 'api://mcp-registry-acme' });
  expect((await read('/kill-switches')).body.items).toEqual([]);
}, 120_000);
