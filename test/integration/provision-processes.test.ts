// The supervisor's parts on real processes: order, restarts, ends, and what happens when the supervisor is killed.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFleet, type Fleet } from '#provision/processes/fleet.ts';
import { findPortFaults } from '#provision/processes/ports.ts';
import type { ProgramUnit, Unit } from '#provision/processes/unit.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** Says it is up, starts a child of its own, and notes its end; ignores SIGTERM when told to be stubborn. */
const PROGRAM = `
import { spawn } from 'node:child_process';
import { appendFileSync, writeFileSync } from 'node:fs';
const { NAME, WORLD, STUBBORN, BROKEN } = process.env;
if (BROKEN) { console.log(JSON.stringify({ level: 'fatal', error: 'the disk is made of cheese' })); process.exit(1); }
const helper = spawn('sleep', ['300'], { stdio: 'inherit' });
writeFileSync(WORLD + '/helper-' + NAME, String(helper.pid));
appendFileSync(WORLD + '/diary', 'start ' + NAME + '\\n');
process.on('SIGTERM', () => {
  if (STUBBORN) return;
  appendFileSync(WORLD + '/diary', 'stop ' + NAME + '\\n');
  process.exit(0);
});
appendFileSync(WORLD + '/pids-' + NAME, process.pid + '\\n');
writeFileSync(WORLD + '/up-' + NAME, String(process.pid));
setInterval(() => {}, 1000);
`;

let world: string;
let fleet: Fleet | undefined;
let crashes: string[];

beforeEach(() => {
  world = mkdtempSync(join(tmpdir(), 'mcpgw-fleet-'));
  writeFileSync(join(world, 'program.ts'), PROGRAM);
  crashes = [];
});

afterEach(async () => {
  await fleet?.stop();
  fleet = undefined;
  rmSync(world, { recursive: true, force: true });
});

const readText = (name: string): string => readFileSync(join(world, name), 'utf8');
const diary = (): string[] => readText('diary').trim().split('\n');
const pidOf = (name: string): number => Number(readText(name));
const pidsOf = (name: string): number[] => readText(`pids-${name}`).trim().split('\n').map(Number);

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    // A killed child whose parent has not looked yet still has an entry, as a zombie.
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
};

const until = async (condition: () => boolean, deadlineMs = 10_000): Promise<void> => {
  const end = Date.now() + deadlineMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`not within ${deadlineMs} ms: ${condition}`);
    await sleep(20);
  }
};

const program = (
  name: string,
  after: string[] = [],
  environment: Record<string, string> = {},
): ProgramUnit => ({
  kind: 'program',
  name,
  after,
  script: relative(ROOT, join(world, 'program.ts')),
  environment: { NAME: name, WORLD: world, ...environment },
  isReady: async () => existsSync(join(world, `up-${name}`)),
  stopMs: 500,
});

const startFleet = (units: readonly Unit[]): Promise<void> => {
  const place = {
    root: ROOT,
    environment: { ...process.env },
    logsDirectory: join(world, 'logs'),
    pidsDirectory: join(world, 'pids'),
    holdDirectory: join(world, 'hold'),
    onCrash: (name: string) => void crashes.push(name),
  };
  fleet = createFleet(units, place, { onReady: () => undefined });
  return fleet.start();
};

describe('a fleet', () => {
  it('starts each part after what it waits for, and ends them in reverse', async () => {
    const task: Unit = { kind: 'task', name: 'task', after: ['b'], run: async () => 'done' };
    await startFleet([program('c', ['task']), task, program('b', ['a']), program('a')]);
    expect(diary()).toEqual(['start a', 'start b', 'start c']);
    await fleet?.stop();
    expect(diary().slice(3)).toEqual(['stop c', 'stop b', 'stop a']);
  });

  it('starts a killed part again, and nothing it had started is left', async () => {
    await startFleet([program('a')]);
    const [first, helper] = [pidOf('up-a'), pidOf('helper-a')];
    process.kill(first, 'SIGKILL');
    await until(() => pidOf('up-a') !== first);
    await until(() => !isAlive(helper));
    expect(crashes).toEqual(['a']);
    expect(isAlive(pidOf('up-a'))).toBe(true);
  });

  it('leaves a part down while it is held, and brings it back after', async () => {
    await startFleet([program('a')]);
    const first = pidOf('up-a');
    mkdirSync(join(world, 'hold'));
    writeFileSync(join(world, 'hold', 'a'), '');
    process.kill(first, 'SIGKILL');
    await sleep(1_000);
    expect(pidOf('up-a')).toBe(first);
    rmSync(join(world, 'hold', 'a'));
    await until(() => pidOf('up-a') !== first);
  });

  it('does not replace a part that is down: it is started again by itself, and once', async () => {
    await startFleet([{ ...program('a'), whoAnswers: async () => readText('up-a') }]);
    mkdirSync(join(world, 'hold'));
    writeFileSync(join(world, 'hold', 'a'), '');
    process.kill(pidOf('up-a'), 'SIGKILL');
    await until(() => crashes.length > 0);
    await expect(fleet?.replace('a')).rejects.toThrow('a is not running');
    rmSync(join(world, 'hold', 'a'));
    await until(() => pidsOf('a').filter(isAlive).length === 1);
    expect(pidsOf('a')).toHaveLength(2);
  });

  it('has one of a part that ended, and was started again, while its successor came up', async () => {
    let answers = 'the old one';
    await startFleet([{ ...program('a'), whoAnswers: async () => answers }]);
    const replaced = fleet?.replace('a');
    await until(() => pidsOf('a').length === 2);
    process.kill(pidsOf('a')[0] ?? 0, 'SIGKILL');
    await until(() => pidsOf('a').length === 3);
    answers = 'the successor';
    await replaced;
    expect(pidsOf('a').map(isAlive)).toEqual([false, true, false]);
  });

  it('says the last words of a part that does not start', async () => {
    await expect(startFleet([program('a', [], { BROKEN: 'yes' })])).rejects.toThrow(
      'a did not start: the disk is made of cheese',
    );
  });

  it('makes a part end that does not want to', async () => {
    await startFleet([program('a', [], { STUBBORN: 'yes' })]);
    const pids = [pidOf('up-a'), pidOf('helper-a')];
    const startedAt = Date.now();
    await fleet?.stop();
    expect(Date.now() - startedAt).toBeLessThan(3_000);
    expect(pids.map(isAlive)).toEqual([false, false]);
  });

  it('can be stopped while it starts', async () => {
    const never: ProgramUnit = { ...program('a'), isReady: async () => false };
    const starting = startFleet([never, program('b', ['a'])]);
    await until(() => existsSync(join(world, 'up-a')));
    await fleet?.stop();
    await starting;
    expect(isAlive(pidOf('up-a'))).toBe(false);
    expect(existsSync(join(world, 'up-b'))).toBe(false);
  });
});

describe('a supervisor that is killed', () => {
  let supervisor: ChildProcess;

  it('leaves nothing behind', async () => {
    const script = `
      import { createFleet } from '#provision/processes/fleet.ts';
      const unit = ${JSON.stringify({ ...program('a'), isReady: undefined })};
      const place = { root: ${JSON.stringify(ROOT)}, environment: process.env, logsDirectory: ${JSON.stringify(world)} + '/logs',
        pidsDirectory: ${JSON.stringify(world)} + '/pids', holdDirectory: ${JSON.stringify(world)} + '/hold', onCrash: () => {} };
      await createFleet([{ ...unit, isReady: async () => true }], place, { onReady: () => {} }).start();
      setInterval(() => {}, 1000);
    `;
    supervisor = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: ROOT,
      stdio: 'ignore',
    });
    await until(() => existsSync(join(world, 'up-a')));
    const program_ = pidOf('up-a');
    supervisor.kill('SIGKILL');
    await once(supervisor, 'exit');
    await until(() => !isAlive(program_) && !isAlive(pidOf('helper-a')), 5_000);
  });
});

describe('ports', () => {
  it('are named with their variable when taken, with what to type instead', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const faults = await findPortFaults([{ port, variable: 'GATEWAY_PORT' }], 'npm start');
    expect(faults).toEqual([
      `port ${port} (GATEWAY_PORT) is taken`,
      expect.stringMatching(/^choose others: GATEWAY_PORT=\d+ npm start$/),
    ]);
    server.close();
    await once(server, 'close');
    expect(await findPortFaults([{ port, variable: 'GATEWAY_PORT' }], 'npm start')).toEqual([]);
  });

  it('are replaced by free ones that nobody else wants, in one line', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const wanted = [
      { port, variable: 'A_PORT' },
      { port: port + 10, variable: 'B_PORT' },
    ];
    const line = (await findPortFaults(wanted, 'npm start')).at(-1) ?? '';
    server.close();
    const chosen = /A_PORT=(\d+)/.exec(line)?.[1];
    expect(Number(chosen)).toBeGreaterThan(port + 10);
  });

  it('wanted twice are named with both variables', async () => {
    const wanted = [
      { port: 1, variable: 'A_PORT' },
      { port: 1, variable: 'B_PORT' },
    ];
    expect((await findPortFaults(wanted, 'npm start')).at(-1)).toBe(
      'port 1 is wanted by both A_PORT and B_PORT',
    );
  });
});
