// Policies that do not answer, real ones in WebAssembly: each refuses its own call with policy_failed, and the next call
// is judged as if nothing had been.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENTRYPOINTS } from '#ext-authz/policy/manifest.ts';
import { createWasmEngine } from '#ext-authz/policy/wasm-engine.ts';
import { readFromBundle } from '#policies/build/bundle-archive.ts';
import { CAPABILITIES } from '#policies/build/folders.ts';
import { loadPolicyModule } from '#runtime/policy/wasm-module.ts';
import { requireOpa } from '#test/policy/opa.ts';

const opa = requireOpa();

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mcpgw-failures-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const ALLOW = '{"allow": true, "obligations": {}, "explain": []}';

const engineOf = async (decision: string) => {
  const rules = `package mcp.authz\n\ndecision := ${ALLOW} if input.tenant == "sound"\n\n${decision}\n\nvisible := {}\n`;
  writeFileSync(join(directory, 'p.rego'), rules);
  const entrypoints = ENTRYPOINTS.flatMap((name) => ['-e', name]);
  const args = ['build', '-t', 'wasm', ...entrypoints, '--capabilities', CAPABILITIES, '-o', 'out.tar.gz'];
  await opa([...args, 'p.rego'], { directory });
  const wasm = readFromBundle(readFileSync(join(directory, 'out.tar.gz')), '/policy.wasm');
  const module = loadPolicyModule(wasm, { data: {}, entrypoints: ENTRYPOINTS });
  return createWasmEngine({ module, revision: 'r', readsArguments: false });
};

describe('a policy that does not answer', () => {
  it.each<[string, string, string]>([
    ['gives no decision', 'decision := {} if input.tenant == "never"', 'undefined'],
    [
      'gives two decisions',
      `decision := ${ALLOW} if input.tenant == "bad"\n\ndecision := {"allow": false} if input.tenant == "bad"`,
      'threw',
    ],
    [
      'gives a string for a boolean',
      'decision := {"allow": "true", "obligations": {}, "explain": []} if input.tenant == "bad"',
      'neither true nor false',
    ],
    ['gives a boolean for a decision', 'decision := true if input.tenant == "bad"', 'not an object'],
    [
      'orders what nobody carries out',
      'decision := {"allow": true, "obligations": {"rewrite": ["/secret"]}, "explain": []} if input.tenant == "bad"',
      'unknown order',
    ],
    [
      'fills the memory',
      'decision := {"allow": count(numbers.range(0, 20000000)) > 0} if input.tenant == "bad"',
      'threw',
    ],
  ])('and %s refuses that call alone', async (_title, decision, fault) => {
    const engine = await engineOf(decision);
    const answer = engine.evaluate({ tenant: 'bad' });
    expect(answer).toMatchObject({ ok: false, error: { reason: 'policy_failed' } });
    expect(JSON.stringify(answer)).toContain(fault);
    expect(engine.evaluate({ tenant: 'sound' })).toMatchObject({ ok: true, value: { allow: true } });
  });
});
