// `demo/token.ts` as a shell runs it: a token and nothing else, or a sentence on stderr and status 1.

import { spawn } from 'node:child_process';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APPLICATION_IDS, APPLICATIONS, CONTOSO_TID, DIRECTORIES, FABRIKAM_TID } from '#demo/directory.ts';
import { createMiniEntra, type MiniEntra } from '#demo/mini-entra/mini-entra.ts';

let provider: MiniEntra;
beforeAll(async () => {
  provider = await createMiniEntra({ directories: DIRECTORIES, applications: APPLICATIONS, port: 0 });
});
afterAll(() => provider.close());

const run = (args: readonly string[], port: number = provider.port) =>
  new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = spawn(process.execPath, ['demo/token.ts', ...args], {
      env: { ...process.env, DEMO_IDP_PORT: String(port) },
    });
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => {
      output.stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output.stderr += chunk;
    });
    child.on('close', (status) => resolve({ status, ...output }));
  });

describe('npm run token', () => {
  it.each([
    [['alice'], { aud: APPLICATION_IDS.gatewayTracker, scp: 'tools.use', tid: CONTOSO_TID }],
    [['bob', '--server', 'reports'], { aud: APPLICATION_IDS.gatewayReports, scp: 'tools.use' }],
    [['paula'], { aud: APPLICATION_IDS.gatewayTracker, tid: FABRIKAM_TID }],
    [['--admin'], { aud: APPLICATION_IDS.registryApi, roles: ['platform-admin'] }],
    [['--app', 'nightly-report'], { aud: APPLICATION_IDS.gatewayTracker, idtyp: 'app' }],
  ])('prints one token for %j, nothing else', async (args, claims) => {
    const { status, stdout, stderr } = await run(args);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect(decodeJwt(stdout.trim())).toMatchObject(claims);
  });

  it.each([
    [['zoe'], 'no user zoe; there are: alice, bob, olga, admin, paula'],
    [['--app', 'zoe'], 'no application zoe with a secret; there are: nightly-report'],
    [['alice', '--server', 'zoe'], 'no server zoe; there are: tracker, reports'],
    [[], 'usage: '],
    [['alice', '--admin'], 'usage: '],
    [['--nonsense'], 'usage: '],
  ])('says what is wrong with %j', async (args, message) => {
    const { status, stdout, stderr } = await run(args);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain(message);
  });

  it('says so if the demo is not running', async () => {
    const { status, stderr } = await run(['alice'], 1);
    expect(status).toBe(1);
    expect(stderr).toContain('is npm start running?');
  });
});
