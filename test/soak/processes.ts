// What the kernel says of a process and all it started: memory, file descriptors, CPU. Linux only, like the product's own
// container.

import { readdirSync, readFileSync } from 'node:fs';

export type ProcessFigures = {
  readonly pid: number;
  /** Of the program, as the kernel cuts it. */
  readonly program: string;
  readonly residentBytes: number;
  readonly descriptors: number;
  readonly cpuSeconds: number;
};

const TICKS_A_SECOND = 100;
const PAGE_BYTES = 4_096;

type Stat = {
  readonly program: string;
  readonly parent: number;
  readonly cpuTicks: number;
  readonly pages: number;
};

const statOf = (pid: number): Stat | undefined => {
  try {
    // `pid (name) state ppid …`, proc_pid_stat(5): the name may hold brackets, so it ends at the last one.
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const end = text.lastIndexOf(')');
    const fields = text.slice(end + 2).split(' ');
    return {
      program: text.slice(text.indexOf('(') + 1, end),
      parent: Number(fields[1]),
      cpuTicks: Number(fields[11]) + Number(fields[12]),
      pages: Number(fields[21]),
    };
  } catch {
    return undefined;
  }
};

const descriptorsOf = (pid: number): number => {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
};

const childrenOf = (): ReadonlyMap<number, readonly number[]> => {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    const parent = /^\d+$/.test(entry) ? statOf(Number(entry))?.parent : undefined;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  return children;
};

/** The process and all it started, it first; those that are gone are left out. */
export const figuresOf = (root: number): readonly ProcessFigures[] => {
  const children = childrenOf();
  const family = [root];
  for (const pid of family) family.push(...(children.get(pid) ?? []));
  return family.flatMap((pid) => {
    const stat = statOf(pid);
    if (stat === undefined) return [];
    const { program, cpuTicks, pages } = stat;
    return {
      pid,
      program,
      residentBytes: pages * PAGE_BYTES,
      descriptors: descriptorsOf(pid),
      cpuSeconds: cpuTicks / TICKS_A_SECOND,
    };
  });
};

/** All of them together. */
export const totalOf = (figures: readonly ProcessFigures[]): Omit<ProcessFigures, 'pid' | 'program'> => ({
  residentBytes: figures.reduce((total, each) => total + each.residentBytes, 0),
  descriptors: figures.reduce((total, each) => total + each.descriptors, 0),
  cpuSeconds: figures.reduce((total, each) => total + each.cpuSeconds, 0),
});
