// Loaded before a process under test (`--import`): a wall clock that a test sets while the process runs. The offset,
// milliseconds, stands in the file of CLOCK_FILE and is read when SIGUSR2 comes; timers go by their own clock, as on any machine.

import { readFileSync } from 'node:fs';

const RealDate = Date;
let offsetMs = 0;

globalThis.Date = class extends RealDate {
  constructor(...given: unknown[]) {
    if (given.length === 0) super(RealDate.now() + offsetMs);
    else super(...(given as [number]));
  }

  static override now(): number {
    return RealDate.now() + offsetMs;
  }
} as DateConstructor;

process.on('SIGUSR2', () => {
  offsetMs = Number(readFileSync(process.env['CLOCK_FILE'] ?? '', 'utf8'));
});
