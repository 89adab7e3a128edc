// How many files this process, and all it will start, may have open; where that is allowed, as many as a run needs.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const limitOf = (): number => {
  const line = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
  return line?.[1] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(line?.[1] ?? 0);
};

/** So many open files as are allowed after asking for `wanted`. */
export const askForOpenFiles = (wanted: number): number => {
  if (limitOf() < wanted)
    spawnSync('prlimit', ['--pid', String(process.pid), `--nofile=${wanted}:${wanted}`], { stdio: 'ignore' });
  return limitOf();
};
