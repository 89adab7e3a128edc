import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lastWords, logOffset, openLog } from '#provision/processes/log-file.ts';

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mcpgw-log-'));
  file = join(directory, 'logs', 'part.log');
});

afterEach(() => rmSync(directory, { recursive: true }));

const append = (text: string): void => {
  const log = openLog(file);
  writeSync(log.descriptor, text);
  log.close();
};

it('appends, and only the owner can read', () => {
  append('one\n');
  append('two\n');
  expect(readFileSync(file, 'utf8')).toBe('one\ntwo\n');
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it('moves a file that has grown too large aside', () => {
  append('');
  writeFileSync(file, Buffer.alloc(16 * 1024 * 1024 + 1, 'x'));
  append('after\n');
  expect(readFileSync(file, 'utf8')).toBe('after\n');
  expect(statSync(`${file}.1`).size).toBe(16 * 1024 * 1024 + 1);
});

it.each([
  [
    'the error of a fatal line',
    '{"level":"fatal","error":"port 1 is taken"}\n{"level":"info","message":"bye"}\n',
    'port 1 is taken',
  ],
  [
    'the error Node died of',
    "file:///x.ts:1\nError [ERR_X]: no module 'y'\n    at z\n\nNode.js v24.21.0\n",
    "Error [ERR_X]: no module 'y'",
  ],
  [
    'with every line of it, because the first may only announce a list',
    'x.ts:1\nConfigError: not valid:\n  A: is required\n  B: is required\n    at z\n\nNode.js v24.21.0\n',
    'ConfigError: not valid:\n  A: is required\n  B: is required',
  ],
  ['the last line of anything else', 'Segmentation\nfault\n', 'fault'],
  ['that there were none', '', 'it said nothing'],
])('finds the last words: %s', (_title, text, words) => {
  append('{"level":"fatal","error":"of an earlier run"}\n');
  const offset = logOffset(file);
  append(text);
  expect(lastWords(file, offset)).toBe(words);
});
