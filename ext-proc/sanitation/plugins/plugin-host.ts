// The program that a plug-in runs in, in a process of its own: loads it, and puts one text after another to it. Between
// two texts the process stands still. Whatever ends it is for the gateway to notice (plugin-process.ts).

import { readSync, writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { DetectorOptions } from '#ext-proc/sanitation/detector.ts';
import { encodeReply, type Reply, readQuestion } from '#ext-proc/sanitation/plugins/frames.ts';
import { toWireFindings } from '#ext-proc/sanitation/plugins/wire-findings.ts';

/** The one descriptor that leads to the gateway. */
const CHANNEL = 3;

type Scan = (text: string, options: DetectorOptions) => unknown;

const [entry = '', ...kinds] = process.argv.slice(2);

const take = (length: number): Buffer => {
  const bytes = Buffer.allocUnsafe(length);
  let taken = 0;
  while (taken < length) {
    const read = readSync(CHANNEL, bytes, taken, length - taken, null);
    // The gateway is gone.
    if (read === 0) process.exit(0);
    taken += read;
  }
  return bytes;
};

const say = (reply: Reply): void => {
  const bytes = encodeReply(reply);
  let written = 0;
  while (written < bytes.length) written += writeSync(CHANNEL, bytes, written);
};

// Signals are the one thing that the permission model leaves to it and that would reach the gateway itself.
const takeSignals = (): void => {
  for (const name of ['kill', '_kill', '_debugProcess', '_debugEnd'])
    Object.defineProperty(process, name, { value: undefined });
};

const scanOf = (module: unknown): Scan | undefined => {
  const { scan, default: whole } = module as { scan?: unknown; default?: { scan?: unknown } };
  const found = scan ?? whole?.scan;
  return typeof found === 'function' ? (found as Scan) : undefined;
};

const load = async (): Promise<Scan> => {
  let why = 'its entry exports no function scan';
  try {
    const scan = scanOf(await import(pathToFileURL(entry).href));
    if (scan !== undefined) return scan;
  } catch (thrown) {
    why = thrown instanceof Error ? thrown.message : String(thrown);
  }
  say({ kind: 'unloadable', why });
  return process.exit(1);
};

const answer = async (scan: Scan): Promise<Reply> => {
  const { text, options } = readQuestion(take);
  try {
    const findings = toWireFindings(await scan(text, options), { kinds, text });
    return findings === undefined ? { kind: 'malformed' } : { kind: 'findings', findings };
  } catch {
    return { kind: 'threw' };
  }
};

takeSignals();
const scan = await load();
say({ kind: 'loaded' });
for (;;) say(await answer(scan));
