// Two ext-authz behind one Envoy: both judge, they share what must not be used twice, and one that dies costs no call.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runAuditCommand } from '#test/support/audit-command.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { callTool } from '#test/support/raw-call.ts';
import { writeTokenCacheKey } from '#test/support/token-cache-key.ts';

const NAMES = ['ext-authz', 'ext-authz-2'] as const;

let product: Product;
let url: string;
let alice: string;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'decision-processes-'));
  const shared = { SHARED_STATE: 'sql', TOKEN_CACHE_KEY_FILE: writeTokenCacheKey(directory) };
  product = await startProduct({ DECISION_PROCESSES: '2', ...shared });
  url = product.serverUrl('tracker');
  alice = await product.token('alice');
}, 300_000);
afterAll(async () => {
  await product?.stop();
  rmSync(directory, { recursive: true, force: true });
});

type Line = Readonly<Record<string, unknown>>;

const decisionsOf = (name: string): readonly Line[] =>
  readFileSync(join(product.logsDirectory, `${name}.log`), 'utf8')
    .split('\n')
    .filter((line) => line.includes('"decision"'))
    .map((line) => JSON.parse(line) as Line)
    .filter(({ decision }) => decision === 'allow');

/** Reasons of the refusals among so many calls, some at a time; empty: all were let through. */
const refusalsAmong = async (calls: number): Promise<readonly unknown[]> => {
  const refused: unknown[] = [];
  const run = async (count: number): Promise<void> => {
    for (let call = 0; call < count; call += 1) {
      const answer = await callTool(url, alice, { name: 'whoami' });
      if (answer.message.result === undefined) refused.push(answer.message.error ?? answer.status);
    }
  };
  await Promise.all(Array.from({ length: 4 }, () => run(calls / 4)));
  return refused;
};

describe('two decision processes', () => {
  it('both judge calls', async () => {
    expect(await refusalsAmong(80)).toEqual([]);
    for (const name of NAMES) expect(decisionsOf(name).length, name).toBeGreaterThan(10);
  });

  it('serve each other with the token that one of them has exchanged', async () => {
    const exchanges = () =>
      NAMES.flatMap(decisionsOf).filter(({ tokenSource }) => tokenSource === 'exchange').length;
    const before = exchanges();
    alice = await product.token('alice');
    await callTool(url, alice, { name: 'whoami' });
    expect(exchanges() - before).toBe(1);
    expect(await refusalsAmong(40)).toEqual([]);
    expect(exchanges() - before).toBe(1);
  });

  it.each(NAMES)('go on without %s while it is away, and with it again when it is back', async (name) => {
    await product.pauseRestart(name);
    expect(await refusalsAmong(80)).toEqual([]);
    await product.resumeRestart(name);
    await expect.poll(() => product.isReady(name), { timeout: 60_000 }).toBe(true);
    const before = decisionsOf(name).length;
    await expect
      .poll(
        async () => {
          expect(await refusalsAmong(20)).toEqual([]);
          return decisionsOf(name).length;
        },
        { timeout: 30_000 },
      )
      .toBeGreaterThan(before);
  });

  it('are told apart by the registry, and each keeps an audit chain that verifies', async () => {
    const consumers = await product.registry('GET', '/v1/consumers');
    expect(JSON.stringify(consumers.body)).toContain('"ext-authz-2"');
    const environment = { MCPGW_STATE_DIR: `${product.process.localDirectory}/state` };
    const verified = runAuditCommand(environment, 'verify');
    expect(verified.status, verified.output).toBe(0);
    for (const name of NAMES) expect(verified.output).toMatch(new RegExp(`^.*\\b${name}\\b`, 'm'));
  });
});
