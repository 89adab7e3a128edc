// docs/plugins.md: the example as it is printed there, installed as an npm package, in the real service behind the real
// Envoy, and the program that the operator starts.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { json, text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { answerRules } from '#test/support/answer-rules.ts';
import { type GuardBench, startGuardBench } from '#test/support/ext-proc-envoy.ts';
import { createTestGuard } from '#test/support/ext-proc-guard.ts';
import { callGuarded, ordersOff } from '#test/support/guarded-call.ts';
import {
  ACME_CODES,
  createPluginFolder,
  type PluginFolder,
  type RunningPlugins,
  runPlugins,
} from '#test/support/plugin-folder.ts';
import { ROOT } from '#test/support/product-process.ts';

const PAGE = readFileSync(join(ROOT, 'docs', 'plugins.md'), 'utf8');

/** The block below a line that ends with the file's name in backticks and a colon. */
const documented = (file: string): string =>
  PAGE.split(`\`${file}\`:\n`)[1]?.match(/```\w+\n([\s\S]*?)```/)?.[1] ?? expect.fail(`no ${file}`);

const FILES = ['package.json', 'index.js'];

let folder: PluginFolder;
let plugins: RunningPlugins;
let bench: GuardBench;

const ANSWER = {
  jsonrpc: '2.0',
  id: 'call-1',
  result: {
    content: [{ type: 'text', text: 'ACME-2041-KX is booked on CC 10-4471.' }],
    structuredContent: { project: 'ACME-2041-KX' },
  },
};

beforeAll(async () => {
  folder = await createPluginFolder();
  const installed = join(folder.path, 'node_modules', 'acme-codes');
  mkdirSync(installed, { recursive: true });
  for (const file of FILES) writeFileSync(join(installed, file), documented(file));
  plugins = await runPlugins(['acme-codes'], { from: folder.path });
  const guard = createTestGuard({ maxBodyBytes: 200_000, maxEventBytes: 50_000 }, plugins.detectors);
  bench = await startGuardBench(guard.start);
  const { responseGuard } = JSON.parse(documented('rules.json'));
  guard.rules = answerRules({ guard: responseGuard });
});
afterAll(async () => {
  await bench?.stop();
  plugins?.stop();
  await folder?.remove();
});

it('prints the example as it lies in the repository', () => {
  for (const file of FILES) expect(documented(file)).toBe(readFileSync(join(ACME_CODES, file), 'utf8'));
});

it('redacts what the example finds, in JSON and in a stream', async () => {
  const body = JSON.stringify(ANSWER);
  const answers: string[] = [];
  for (const [type, sent] of [
    ['application/json', body],
    ['text/event-stream', `data: ${body}\n\n`],
  ] as const) {
    bench.server = (_, response) => response.writeHead(200, { 'content-type': type }).end(sent);
    answers.push((await callGuarded(bench.url, ordersOff({ guard: 'rules', tool: 'search' }))).text);
  }
  for (const answer of answers) {
    expect(answer).toContain(
      '[redacted:project-code] is booked on CC 10-4471 [flagged:plugin:acme-codes/cost-centre].',
    );
    expect(answer).toContain('"project":"[redacted:project-code]"');
    expect(answer).not.toContain('ACME-2041-KX');
  }
});

const startProgram = (named: string): ChildProcess =>
  spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(ROOT, 'ext-proc/main.ts')], {
    cwd: folder.path,
    env: {
      PATH: process.env['PATH'],
      MCPGW_RUNTIME_DIR: join(folder.path, 'run'),
      MCPGW_STATE_DIR: join(folder.path, 'state'),
      EXT_PROC_PLUGINS: named,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });

it('tells on the readiness page which plug-ins there are', async () => {
  const program = startProgram(`acme-codes`);
  try {
    const socketPath = join(folder.path, 'run', 'ext-proc-ops.sock');
    const readiness = async (): Promise<unknown> => {
      const request = get({ socketPath, path: '/readyz' });
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      return json(response);
    };
    await expect
      .poll(() => readiness().catch(() => undefined), { timeout: 20_000 })
      .toMatchObject({ plugins: [{ name: 'acme-codes', version: '1.0.0', state: 'ready', restarts: 0 }] });
  } finally {
    const ended = once(program, 'exit');
    program.kill('SIGTERM');
    await ended;
  }
});

it('does not start half guarded', async () => {
  await folder.write('broken', 'export const nothing = 0;');
  const program = startProgram('acme-codes, ./broken');
  const ended = once(program, 'exit');
  const said = await text(program.stdout as NodeJS.ReadableStream);
  expect(await ended).toEqual([1, null]);
  const line = JSON.parse(said.trim().split('\n').at(-1) ?? '');
  expect(line).toMatchObject({
    message: 'failed to start',
    code: 'config_invalid',
    error: `EXT_PROC_PLUGINS: broken: ${join(folder.path, 'broken/index.mjs')} cannot be loaded: its entry exports no function scan`,
  });
});
