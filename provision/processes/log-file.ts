// Where the output of a program goes: one file each, appended to, bounded. The program writes to it directly, so a slow
// or dead supervisor never holds it up; the bound is kept by copying and cutting the file while it is open.

import { closeSync, copyFileSync, mkdirSync, openSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { dirname } from 'node:path';

/** A file beyond this is moved to `.1`, so a program has at most twice as much on disk. */
const MAX_BYTES = 16 * 1024 * 1024;

const CHECK_MS = 10_000;

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

const keepBounded = (file: string): void => {
  if (sizeOf(file) <= MAX_BYTES) return;
  copyFileSync(file, `${file}.1`);
  truncateSync(file);
};

/** Opens the file for a child to inherit; the caller closes the descriptor once the child has it. */
export const openLog = (file: string): { readonly descriptor: number; close(): void } => {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  keepBounded(file);
  const descriptor = openSync(file, 'a', 0o600);
  return { descriptor, close: () => closeSync(descriptor) };
};

/** Keeps the files bounded until the returned function is called. */
export const watchLogs = (files: readonly string[]): (() => void) => {
  const timer = setInterval(() => {
    for (const file of files) keepBounded(file);
  }, CHECK_MS);
  timer.unref();
  return () => clearInterval(timer);
};

type Line = { readonly level?: unknown; readonly error?: unknown; readonly message?: unknown };

const parseLine = (text: string): Line => {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return { message: text };
  }
};

/** An error nobody caught: its line and those that belong to it, before the stack. */
const uncaught = (lines: readonly Line[]): string | undefined => {
  const texts = lines.map(({ message }) => String(message));
  const from = texts.findIndex((text) => /^\w*Error\b/.test(text));
  if (from < 0) return undefined;
  const length = texts.slice(from).findIndex((text) => /^\s+at /.test(text));
  return texts.slice(from, length < 0 ? from + 1 : from + length).join('\n');
};

/** The last words of a program that died, from what it wrote after `offset`. */
export const lastWords = (file: string, offset: number): string => {
  const lines = readFileSync(file)
    .subarray(offset)
    .toString()
    .split('\n')
    .filter((text) => text.trim() !== '')
    .map(parseLine);
  // Node ends an uncaught error with its own version; the line that names the error comes before the stack.
  const logged = lines.findLast(({ level }) => level === 'fatal' || level === 'error');
  const last = lines.at(-1);
  return String(
    logged?.error ?? logged?.message ?? uncaught(lines) ?? last?.error ?? last?.message ?? 'it said nothing',
  );
};

/** Size now, to tell later output from earlier. */
export const logOffset = sizeOf;
