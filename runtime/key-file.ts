// Files of secrets: one key a line, the last one writes, all of them read. Made on the first start, by whichever
// process comes first. There is no default secret, and a file others can read is refused.

import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { link, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { GatewayError } from '#core/gateway-error.ts';

const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

const isCode = (thrown: unknown, code: string): boolean =>
  thrown instanceof Error && 'code' in thrown && thrown.code === code;

/** Writes a whole file that must not exist yet; false if it does. Never half a file, whoever else is starting. */
export const createFileOnce = (path: string, content: string): boolean => {
  const temporary = `${path}.${randomUUID()}.tmp`;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(temporary, content, { mode: OWNER_ONLY, flag: 'wx', flush: true });
  try {
    linkSync(temporary, path);
    return true;
  } catch (thrown) {
    if (isCode(thrown, 'EEXIST')) return false;
    throw thrown;
  } finally {
    rmSync(temporary, { force: true });
  }
};

/** As `createFileOnce`, waiting for the disk beside the event loop. The directory must be there. */
export const addFileOnce = async (path: string, content: string): Promise<void> => {
  const temporary = `${path}.${randomUUID()}.tmp`;
  await writeFile(temporary, content, { mode: OWNER_ONLY, flag: 'wx', flush: true });
  try {
    await link(temporary, path);
  } catch (thrown) {
    if (!isCode(thrown, 'EEXIST')) throw thrown;
  } finally {
    await rm(temporary, { force: true });
  }
};

const unusable = (variable: string, why: string): never => {
  throw new GatewayError('config_invalid', `${variable}: ${why}`);
};

const readLines = (path: string, variable: string): string[] => {
  if ((statSync(path).mode & OTHERS) !== 0)
    return unusable(variable, 'the file must be readable by its owner only (0600)');
  return readFileSync(path, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
};

export type KeyFile<T> = {
  readonly path: string;
  /** Name of the environment variable, for errors; the content is never repeated. */
  readonly variable: string;
  readonly generate: () => string;
  /** Undefined where the line holds no key. */
  readonly parse: (line: string) => T | undefined;
};

/**
 * The keys of an existing file, oldest first.
 * @throws GatewayError `config_invalid` if it is missing, open to others, empty, or holds a line that is no key.
 */
export const readKeyFile = <T>({ path, variable, parse }: KeyFile<T>): readonly [T, ...T[]] => {
  let lines: string[];
  try {
    lines = readLines(path, variable);
  } catch (thrown) {
    if (thrown instanceof GatewayError) throw thrown;
    return unusable(variable, 'the file cannot be read');
  }
  const keys = lines.map((line, index) => parse(line) ?? unusable(variable, `line ${index + 1} is no key`));
  const [first, ...others] = keys;
  return first === undefined ? unusable(variable, 'the file holds no key') : [first, ...others];
};

/** The keys of the file, which is made with one key if it does not exist. @throws as `readKeyFile` does */
export const ensureKeyFile = <T>(file: KeyFile<T>): readonly [T, ...T[]] => {
  try {
    statSync(file.path);
  } catch (thrown) {
    if (!isCode(thrown, 'ENOENT')) return unusable(file.variable, 'the file cannot be read');
    try {
      createFileOnce(file.path, `${file.generate()}\n`);
    } catch {
      return unusable(file.variable, 'the file does not exist and cannot be made');
    }
  }
  return readKeyFile(file);
};

/**
 * Adds a key, which writes from then on. The file is replaced whole.
 * @param keep how many of the keys before it stay; by default all, because what they wrote is read for ever.
 * @returns how many keys are in the file now.
 */
export const addKey = <T>(file: KeyFile<T>, keep: number = Number.POSITIVE_INFINITY): number => {
  readKeyFile(file);
  const temporary = `${file.path}.${randomUUID()}.tmp`;
  const before = readLines(file.path, file.variable);
  const lines = [...before.slice(Math.max(0, before.length - keep)), file.generate()];
  writeFileSync(temporary, `${lines.join('\n')}\n`, { mode: OWNER_ONLY, flag: 'wx', flush: true });
  renameSync(temporary, file.path);
  return lines.length;
};
