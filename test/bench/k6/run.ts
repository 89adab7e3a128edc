// `npm run bench:k6`: k6 as a call, a list, a stream and a cold user, with limits. How to point it at an installation of
// one's own: test/bench/k6/README.md.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type K6Run, readRun, type TokenSource } from '#test/bench/k6/plan.ts';

/** Commands that ask for tokens at a time. */
const AT_ONCE = 4;

const printed = async (command: string): Promise<string> => {
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', command]).catch(() => {
    throw new Error('the token command failed; run it by hand to see why');
  });
  const token = stdout.trim();
  if (token === '' || /\s/.test(token)) throw new Error('the token command printed no token');
  return token;
};

/** @param wanted how many different ones; a file may hold fewer. */
const tokensOf = async (source: TokenSource, wanted: number): Promise<readonly string[]> => {
  if ('file' in source)
    return (await readFile(source.file, 'utf8')).split('\n').filter((line) => line.trim() !== '');
  const tokens: string[] = [];
  while (tokens.length < wanted) {
    const some = Math.min(AT_ONCE, wanted - tokens.length);
    tokens.push(...(await Promise.all(Array.from({ length: some }, () => printed(source.command)))));
  }
  return tokens;
};

/** By scenario; those of cold users are left out of a file that holds one token only, and told. */
const allTokens = async ({ tokens, coldUsers }: K6Run): Promise<Record<string, readonly string[]>> => {
  const found: Record<string, readonly string[]> = {};
  for (const [name, source] of Object.entries(tokens)) {
    const some = await tokensOf(source, name === 'cold' ? coldUsers : 1);
    // The first of a file is everybody's, and so nobody's first.
    found[name] = name === 'cold' && 'file' in source ? some.slice(1) : some;
  }
  return found;
};

const withoutCold = (plan: K6Run['plan']): K6Run['plan'] => {
  const { cold: _cold, ...scenarios } = plan.scenarios;
  return { ...plan, scenarios };
};

const runK6 = async (binary: string, directory: string, run: K6Run): Promise<number> => {
  const tokens = await allTokens(run);
  const hasCold = (tokens['cold'] ?? []).length > 0;
  if (!hasCold) console.log('No cold users: the token file holds one token only.');
  const files = { MCPGW_PLAN: join(directory, 'plan.json'), MCPGW_TOKENS: join(directory, 'tokens.json') };
  await writeFile(files.MCPGW_PLAN, JSON.stringify(hasCold ? run.plan : withoutCold(run.plan)));
  await writeFile(files.MCPGW_TOKENS, JSON.stringify(tokens), { mode: 0o600 });
  const script = join(import.meta.dirname, 'scenarios.js');
  const child = spawn(binary, ['run', '--no-usage-report', '--quiet', script], {
    stdio: 'inherit',
    env: { ...process.env, ...files },
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
};

const binary = process.env['K6_BIN'];
const directory = await mkdtemp(join(tmpdir(), 'mcpgw-k6-'));
try {
  if (binary === undefined) throw new Error('k6 is missing: start this by npm run bench:k6');
  const local = process.env['MCPGW_LOCAL_DIR'] ?? '.local';
  const run = await readRun(process.env, join(local, 'quickstart.json'));
  process.exitCode = await runK6(binary, directory, run);
} catch (thrown) {
  console.error(thrown instanceof Error ? thrown.message : String(thrown));
  process.exitCode = 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}
