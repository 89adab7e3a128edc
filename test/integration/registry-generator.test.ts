// A client made by a generator from /openapi.json: it is made, it compiles, and it works against a real registry.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { adminToken, startTestRegistry, type TestRegistry } from '#test/integration/registry-harness.ts';
import { ROOT } from '#test/support/product-process.ts';

const PROGRAM = `
import { defaults, readTenant, listServers, putTenant } from './client.ts';

defaults.baseUrl = process.env['REGISTRY'] ?? '';
defaults.headers = { authorization: \`Bearer \${process.env['TOKEN']}\` };

const made = await putTenant('acme', 'made by a generated client', {
  displayName: 'Acme',
  accessContact: 'access@example.com',
});
const servers = await listServers('acme', { enabled: 'true', limit: 10 });
const missing = await readTenant('nobody');
// The compiler knows that a 200 has items and a problem has a detail.
const items: number = servers.status === 200 && 'items' in servers.data ? servers.data.items.length : -1;
console.log(JSON.stringify({ made: made.status, items, missing: missing.status }));
`;

const OPTIONS = [
  ...['--ignoreConfig', '--noEmit', '--strict', '--allowImportingTsExtensions', '--skipLibCheck'],
  ...['--target', 'es2024', '--lib', 'es2024,dom', '--module', 'nodenext', '--types', 'node'],
];

let registry: TestRegistry;
let directory: string;
let token: string;

beforeAll(async () => {
  registry = await startTestRegistry();
  token = await adminToken(['platform-admin']);
  // Inside the project, so that what the client imports is found.
  await mkdir(join(ROOT, '.local'), { recursive: true });
  directory = await mkdtemp(join(ROOT, '.local', 'generated-'));
});

afterAll(async () => {
  await registry.stop();
  await rm(directory, { recursive: true, force: true });
});

const run = (file: string, ...args: string[]) =>
  promisify(execFile)(process.execPath, [file, ...args], {
    cwd: directory,
    env: { ...process.env, REGISTRY: registry.url, TOKEN: token },
  });

it('is made from the document, compiles, and speaks with the registry', async () => {
  const generator = join(ROOT, 'node_modules', 'oazapfts', 'dist', 'cli.js');
  await run(generator, `${registry.url}/openapi.json`, 'client.ts');
  await writeFile(join(directory, 'program.ts'), PROGRAM);
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const compiled = await run(compiler, ...OPTIONS, 'program.ts').catch(
    (failed: { stdout: string }) => failed,
  );
  expect(compiled.stdout).toBe('');
  const { stdout } = await run('program.ts');
  expect(JSON.parse(stdout)).toEqual({ made: 201, items: 0, missing: 404 });
}, 60_000);
