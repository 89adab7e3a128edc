// Loading a bundle and putting a new one in its place, with real files and the compiled default policy.

import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBundleSource, DEFAULT_BUNDLE } from '#ext-authz/policy/bundle.ts';
import { createPolicyHolder } from '#ext-authz/policy/holder.ts';
import { buildPolicyInput } from '#ext-authz/policy/input.ts';
import { question } from '#test/support/policy-world.ts';

const DEFAULT_WASM = DEFAULT_BUNDLE.replace(/\.json$/, '.wasm');
const logger = pino({ level: 'silent' });

let directory: string;
let manifestPath: string;
let wasmPath: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mcpgw-bundle-'));
  manifestPath = join(directory, 'policy.json');
  wasmPath = join(directory, 'policy.wasm');
  cpSync(DEFAULT_WASM, wasmPath);
  cpSync(DEFAULT_BUNDLE, manifestPath);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const manifest = (changes: object = {}): string =>
  JSON.stringify({ ...JSON.parse(readFileSync(DEFAULT_BUNDLE, 'utf8')), ...changes });

const load = () => createBundleSource(manifestPath).load();
const POLICY_FAILED = expect.objectContaining({ code: 'policy_failed' });

const input = () => {
  const built = buildPolicyInput(question(), { withArguments: false });
  if (!built.ok) throw new Error(built.error.reason);
  return built.value;
};

describe('createBundleSource', () => {
  it('loads the default policy and names it by its digest', async () => {
    const engine = await createBundleSource(DEFAULT_BUNDLE).load();
    expect(engine.revision).toMatch(/^default-policy@sha256:[0-9a-f]{12}$/);
    expect(engine.evaluate(input())).toMatchObject({ ok: true, value: { allow: true } });
  });

  it('refuses a module that is not the one its manifest describes', async () => {
    writeFileSync(wasmPath, Buffer.concat([readFileSync(DEFAULT_WASM), Buffer.from([0])]));
    await expect(load()).rejects.toEqual(POLICY_FAILED);
  });

  it('refuses a truncated module', async () => {
    truncateSync(wasmPath, 1000);
    await expect(load()).rejects.toEqual(POLICY_FAILED);
  });

  it('refuses when a file is missing', async () => {
    rmSync(wasmPath);
    await expect(load()).rejects.toEqual(POLICY_FAILED);
  });

  it.each<[string, object]>([
    ['without a self-test', { selfTest: [] }],
    ['without a digest', { wasmDigest: undefined }],
    ['without a word on what it reads', { readsArguments: undefined }],
    ['without data', { data: undefined }],
    ['without a name', { name: '' }],
  ])('refuses a manifest %s', async (_title, changes) => {
    writeFileSync(manifestPath, manifest(changes));
    await expect(load()).rejects.toEqual(POLICY_FAILED);
  });

  it('refuses a policy that answers one of its vectors otherwise', async () => {
    const { selfTest } = JSON.parse(manifest());
    selfTest[0].expected = { ...selfTest[0].expected, explain: ['something else'] };
    writeFileSync(manifestPath, manifest({ selfTest }));
    await expect(load()).rejects.toEqual(POLICY_FAILED);
  });
});

describe('createPolicyHolder', () => {
  const hold = () => createPolicyHolder({ source: createBundleSource(manifestPath), logger, pollMs: 10 });
  const until = async (met: () => boolean) => {
    const deadline = Date.now() + 10_000;
    while (!met()) {
      if (Date.now() > deadline) throw new Error('waited in vain');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };

  it('does not start without a policy', async () => {
    rmSync(manifestPath);
    await expect(hold()).rejects.toEqual(POLICY_FAILED);
  });

  it('puts a new bundle in place under a stream of calls without failing one', async () => {
    const holder = await hold();
    const revisions = new Set<string>();
    let failed = 0;
    let calls = 0;
    const judgeOne = () => {
      const engine = holder.current();
      revisions.add(engine.revision);
      const answer = engine.evaluate(input());
      if (!answer.ok || !answer.value.allow) failed += 1;
      calls += 1;
    };
    const stream = setInterval(() => Array.from({ length: 20 }, judgeOne), 1);
    for (const name of ['second', 'third']) {
      writeFileSync(manifestPath, manifest({ name }));
      await until(() => holder.current().revision.startsWith(`${name}@`));
    }
    await until(() => revisions.size === 3);
    clearInterval(stream);
    holder.stop();
    expect(failed).toBe(0);
    expect(calls).toBeGreaterThan(100);
  });

  it('keeps the old policy when the new bundle is bad, says so, and takes the mended one', async () => {
    const holder = await hold();
    const before = holder.current();
    writeFileSync(manifestPath, '{');
    await until(() => holder.fault() !== undefined);
    expect(holder.current()).toBe(before);
    expect(before.evaluate(input())).toMatchObject({ ok: true, value: { allow: true } });
    writeFileSync(manifestPath, manifest({ name: 'mended' }));
    await until(() => holder.current().revision.startsWith('mended@'));
    expect(holder.fault()).toBeUndefined();
    holder.stop();
  });

  it('keeps the old policy when the files are gone', async () => {
    const holder = await hold();
    rmSync(wasmPath);
    await holder.refresh();
    expect(holder.fault()).toBeDefined();
    expect(holder.current().evaluate(input()).ok).toBe(true);
    holder.stop();
  });
});
