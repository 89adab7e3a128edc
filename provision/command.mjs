// Finding and running other programs. Their output is kept, not shown: a newcomer reads our lines, and theirs only
// when something failed.

import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, sep } from 'node:path';

/** Enough for any error a package manager prints at its end. */
const KEPT_CHARACTERS = 32_768;

/** Exit status of a program that could not be started at all, as shells report it. */
const NOT_STARTED = 127;

/**
 * The environment without `node_modules/.bin` on PATH. npm puts it there, and it holds a `node` of its own that
 * vanishes while packages are being replaced.
 * @param {NodeJS.ProcessEnv} env
 */
export const withoutProjectBinaries = (env) => {
  const entries = (env.PATH ?? '').split(delimiter);
  const own = `node_modules${sep}.bin`;
  return { ...env, PATH: entries.filter((entry) => !entry.endsWith(own)).join(delimiter) };
};

const isExecutable = (path) => {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
};

/**
 * The absolute path of a program, or undefined.
 * @param {string} name
 * @param {NodeJS.ProcessEnv} env
 */
export const findOnPath = (name, env) => {
  const directories = (env.PATH ?? '').split(delimiter).filter((entry) => entry !== '');
  return directories.map((directory) => join(directory, name)).find(isExecutable);
};

/**
 * Runs a program to its end.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string }} [options]
 * @returns {Promise<{ code: number, output: string }>} status (127: could not be started) and the end of what it printed
 */
export const run = (command, args, options = {}) =>
  new Promise((resolve) => {
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk).slice(-KEPT_CHARACTERS);
    };
    const child = spawn(command, [...args], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.once('error', (error) => resolve({ code: NOT_STARTED, output: error.message }));
    child.once('close', (code) => resolve({ code: code ?? 1, output }));
  });
