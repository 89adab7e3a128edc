// Hands on the processes of the world: kill, stop, continue, restart, and keep one down. What is done to a part is done to
// all it started, because a database whose workers live on was not killed.

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProgramUnit } from '#provision/processes/unit.ts';

export type Part = {
  readonly name: string;
  /** The process of ours and all that it started. */
  pids(): readonly number[];
  /** Resolves once it does its work. */
  untilReady(): Promise<void>;
  /** SIGKILL; the supervisor starts it again unless it is held. Resolves when it is gone. */
  kill(): Promise<void>;
  /** Kills it and keeps it down until `release`. */
  hold(): Promise<void>;
  release(): void;
  /** SIGTERM, as a rolling restart would; resolves when it has ended by itself or was made to. */
  restart(): Promise<void>;
  /** SIGSTOP: connections stay open and nobody answers. */
  pause(): void;
  resume(): void;
};

const POLL_MS = 20;

/** Far longer than a start takes on a machine that is busy. */
const READY_MS = 60_000;

/** A drain ends sooner (runtime/lifecycle.ts); one that does not is ended. */
const RESTART_MS = 15_000;

type Facts = { readonly isAlive: boolean; readonly parent: number };

/** What the kernel says of a process; undefined: there is none. */
const factsOf = (pid: number): Facts | undefined => {
  try {
    // `pid (name) state ppid …`: the name may hold anything, so the text is read from its last bracket on.
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, parent] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    // One that has ended and whose parent has not asked yet how.
    return { isAlive: state !== 'Z', parent: Number(parent) };
  } catch {
    return undefined;
  }
};

/** A process and its descendants, it first. */
const familyOf = (root: number): readonly number[] => {
  const children = new Map<number, number[]>();
  for (const pid of readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)) {
    const parent = factsOf(pid)?.parent;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const family = [root];
  for (const pid of family) family.push(...(children.get(pid) ?? []));
  return family;
};

const signalTo = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone already.
  }
};

const untilGone = async (pids: readonly number[]): Promise<void> => {
  while (pids.some((pid) => factsOf(pid)?.isAlive)) await sleep(POLL_MS);
};

/** Hands on one part. */
export const createPart = (
  unit: ProgramUnit,
  { pidsDirectory, holdDirectory }: { readonly pidsDirectory: string; readonly holdDirectory: string },
): Part => {
  const holdFile = join(holdDirectory, unit.name);
  const pidFile = join(pidsDirectory, unit.name);
  const pids = (): readonly number[] =>
    existsSync(pidFile) ? familyOf(Number(readFileSync(pidFile, 'utf8'))) : [];
  const signalAll = (signal: NodeJS.Signals): readonly number[] => {
    const family = pids();
    for (const pid of family) signalTo(pid, signal);
    return family;
  };
  const kill = async (): Promise<void> => untilGone(signalAll('SIGKILL'));
  return {
    name: unit.name,
    pids,
    untilReady: async () => {
      const end = Date.now() + READY_MS;
      while (!(await unit.isReady()))
        if (Date.now() > end) throw new Error(`${unit.name} is not ready after ${READY_MS / 1_000} s`);
        else await sleep(POLL_MS);
    },
    kill,
    hold: async () => {
      writeFileSync(holdFile, '');
      await kill();
    },
    release: () => rmSync(holdFile, { force: true }),
    restart: async () => {
      const family = pids();
      for (const leader of family.slice(0, 1)) signalTo(leader, 'SIGTERM');
      const gone = untilGone(family);
      const force = setTimeout(() => {
        for (const pid of family) signalTo(pid, 'SIGKILL');
      }, RESTART_MS);
      await gone;
      clearTimeout(force);
    },
    pause: () => void signalAll('SIGSTOP'),
    resume: () => void signalAll('SIGCONT'),
  };
};
