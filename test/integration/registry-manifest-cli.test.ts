// The publisher's commands, and the worked example of registry/README.md run as it stands: real processes, curl, HTTP.

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { adminToken, startTestRegistry, type TestRegistry } from '#test/integration/registry-harness.ts';
import { manifest1, manifest2, tool } from '#test/support/manifest-world.ts';
import { ROOT } from '#test/support/product-process.ts';

const README = readFileSync(join(ROOT, 'registry', 'README.md'), 'utf8');
const EXAMPLE = /```sh\n(# The publisher makes a key pair[\s\S]*?)```/.exec(README)?.[1] ?? '';

type Scripts = Readonly<Record<string, string>>;
const SCRIPTS = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Scripts })
  .scripts;

let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'manifest-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** What `npm run` would run, without the look at node_modules that comes before it. */
const commandOf = (script: string): string[] => {
  const [, program = ''] = (SCRIPTS[script] ?? '').split(' -- ');
  const [file = '', ...args] = program.split(' ');
  return [process.execPath, '--disable-warning=ExperimentalWarning', join(ROOT, file), ...args];
};

const NPM = `npm() {
  script="$3"; shift 4
  case "$script" in
${['keygen', 'sign', 'verify'].map((name) => `    manifest:${name}) ${commandOf(`manifest:${name}`).join(' ')} "$@" ;;`).join('\n')}
    *) echo "no script $script" >&2; return 1 ;;
  esac
}
`;

type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

const run = async (file: string, args: readonly string[], variables: Scripts = {}): Promise<Ended> => {
  const options = { cwd: directory, env: { ...process.env, INIT_CWD: directory, ...variables } };
  try {
    return { code: 0, ...(await promisify(execFile)(file, [...args], options)) };
  } catch (thrown) {
    return thrown as Ended;
  }
};

const command = (name: string, ...args: string[]): Promise<Ended> => {
  const [program = '', ...rest] = commandOf(`manifest:${name}`);
  return run(program, [...rest, ...args]);
};

const write = (name: string, content: unknown): void =>
  writeFileSync(join(directory, name), typeof content === 'string' ? content : JSON.stringify(content));

const keygen = async (): Promise<string> => {
  const made = await command('keygen', '--kid', 'team-1', '--out', 'team.jwk');
  write('team.public.json', made.stdout);
  return made.stdout;
};

const sign = (...args: string[]) =>
  command('sign', 'm.json', '--key', 'team.jwk', '--tenant', 'acme', ...args);

const verify = (...args: string[]) =>
  command(
    'verify',
    'm.json',
    '--signature',
    'm.sig',
    '--key',
    'team.public.json',
    '--tenant',
    'acme',
    ...args,
  );

const furnish = async (registry: TestRegistry): Promise<void> => {
  const put = async (path: string, body: object) => {
    const answer = await registry.call('PUT', `/v1/tenants/default${path}`, { body });
    expect(answer.status, path).toBe(201);
  };
  await put('', { displayName: 'Default', accessContact: '' });
  await put('/issuers/home', {
    kind: 'oidc',
    issuer: 'https://login.example.com',
    jwksUri: 'https://login.example.com/keys',
    relation: 'home',
  });
  await put('/servers/tracker', {
    displayName: 'Tracker',
    allowedHosts: ['tracker.example.com'],
    upstreamAuth: { mode: 'none' },
    bindings: [{ issuerId: 'home', audiences: ['api://tracker'] }],
  });
};

describe('the worked example of registry/README.md', () => {
  it('leads from a key to a version in service', async () => {
    const registry = await startTestRegistry();
    await furnish(registry);
    const variables = { REGISTRY: registry.url, ADMIN_TOKEN: await adminToken(['admin:default']) };
    const { code, stdout, stderr } = await run(
      'bash',
      ['-euo', 'pipefail', '-c', `${NPM}${EXAMPLE}`],
      variables,
    );
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toContain('"publisher":"tracker-team"');
    expect((await registry.call('GET', '/v1/tenants/default/servers/tracker')).body).toMatchObject({
      activeVersion: '1.4.0',
      upstreamAuth: { mode: 'none', scopes: [] },
    });
    await registry.stop();
  });
});

describe('manifest:keygen', () => {
  it('keeps the private half in a file of its owner and prints the public one', async () => {
    const entry = JSON.parse(await keygen());
    expect(entry).toEqual({
      kid: 'team-1',
      jwk: { kty: 'EC', crv: 'P-256', alg: 'ES256', x: expect.any(String), y: expect.any(String) },
    });
    expect(statSync(join(directory, 'team.jwk')).mode & 0o777).toBe(0o600);
    const secret = JSON.parse(readFileSync(join(directory, 'team.jwk'), 'utf8'));
    expect(secret).toMatchObject({ kid: 'team-1', alg: 'ES256', d: expect.any(String) });
  });

  it('never writes over a key', async () => {
    await keygen();
    const before = readFileSync(join(directory, 'team.jwk'), 'utf8');
    const again = await command('keygen', '--kid', 'team-2', '--out', 'team.jwk');
    expect(again).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('exists already') });
    expect(readFileSync(join(directory, 'team.jwk'), 'utf8')).toBe(before);
  });
});

describe('manifest:sign and manifest:verify', () => {
  it.each([
    ['2', manifest2()],
    ['1', manifest1()],
  ])('agree on a manifest of schema version %s', async (_version, manifest) => {
    await keygen();
    write('m.json', manifest);
    write('m.sig', (await sign()).stdout);
    const verified = await verify();
    expect(verified).toMatchObject({ code: 0 });
    expect(JSON.parse(verified.stdout)).toMatchObject({ server: 'tracker', version: '1.0.0', kid: 'team-1' });
  });

  it('tell bytes, tenant and time that do not fit', async () => {
    await keygen();
    write('m.json', manifest2());
    write('m.sig', (await sign('--lifetime', '60')).stdout);
    expect(await verify('--tenant', 'beta')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('signature-audience-mismatch'),
    });
    expect(await verify('--at', '2099-01-01T00:00:00Z')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('signature-expired'),
    });
    write('m.json', `${JSON.stringify(manifest2())} `);
    expect(await verify()).toMatchObject({ code: 1, stderr: expect.stringContaining('signature-invalid') });
  });

  it('sign with EdDSA as well', async () => {
    const made = await command('keygen', '--kid', 'team-1', '--out', 'team.jwk', '--alg', 'EdDSA');
    write('team.public.json', made.stdout);
    write('m.json', manifest2());
    write('m.sig', (await sign()).stdout);
    expect((await verify()).code).toBe(0);
  });

  it('sign nothing the registry would refuse, and say where it is wrong', async () => {
    await keygen();
    write('m.json', manifest2({ tools: [tool('a', { description: 'a\u200bb' })] }));
    expect(await sign()).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('/tools/0/description'),
    });
    write('m.json', manifest2({ surprise: 1 }));
    expect(await sign()).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('/surprise') });
  });

  it.each([
    ['a public key', ['--key', 'team.public.json']],
    ['a lifetime of two days', ['--lifetime', '172800']],
    ['an option nobody knows', ['--force', 'yes']],
    ['a key that is not there', ['--key', 'nothing.jwk']],
  ])('are not called with %s', async (_name, args) => {
    await keygen();
    write('m.json', manifest2());
    const { code, stdout, stderr } = await sign(...args);
    const secret = JSON.parse(readFileSync(join(directory, 'team.jwk'), 'utf8')).d;
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).not.toContain(secret);
    expect(stderr).not.toContain('    at ');
  });
});
