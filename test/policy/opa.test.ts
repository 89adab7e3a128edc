// The Rego sources under the real OPA: their own tests, the build, and that the committed bundle is this build.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { buildBundle } from '#policies/build/build-bundle.ts';
import { loadParts } from '#policies/build/parts.ts';
import { digestSources } from '#policies/build/sources.ts';
import { requireOpa } from '#test/policy/opa.ts';

const POLICIES = resolve(import.meta.dirname, '../../policies');
const SOURCES = join(POLICIES, 'mcp');
const DIST = join(POLICIES, 'dist', 'default-policy');

type OpaTestResult = {
  readonly package: string;
  readonly name: string;
  readonly fail?: boolean;
  readonly error?: unknown;
};
type Coverage = {
  readonly files: Readonly<Record<string, { readonly not_covered?: readonly unknown[] }>>;
};

const opa = requireOpa();
const workspace = mkdtempSync(join(tmpdir(), 'mcpgw-opa-'));
afterAll(() => rmSync(workspace, { recursive: true, force: true }));

describe('the Rego sources', () => {
  it('pass their own tests', async () => {
    const results = JSON.parse(await opa(['test', '--format', 'json', SOURCES])) as OpaTestResult[];
    console.log(`opa test: ${results.length} Rego tests`);
    expect(results.filter((result) => result.fail === true || result.error !== undefined)).toEqual([]);
    expect(results.length).toBeGreaterThanOrEqual(30);
  });

  it('have a failing test reported as a failure', async () => {
    const path = join(workspace, 'broken_test.rego');
    writeFileSync(path, 'package broken_test\n\ntest_no if false\n');
    await expect(opa(['test', path])).rejects.toEqual(expect.objectContaining({ code: 'policy_failed' }));
  });

  it('leave no rule of theirs untested', async () => {
    const report = JSON.parse(await opa(['test', '--coverage', SOURCES])) as Coverage;
    const rules = Object.entries(report.files).filter(([path]) => !path.endsWith('_test.rego'));
    expect(rules).toHaveLength(3);
    for (const [path, { not_covered: missed }] of rules) expect(missed ?? [], path).toEqual([]);
  });
});

describe('the committed bundle', () => {
  const manifest = JSON.parse(readFileSync(`${DIST}.json`, 'utf8'));

  it('was made from these sources', async () => {
    const { sources } = await loadParts(opa, { sources: SOURCES });
    expect(manifest.sourcesDigest).toBe(digestSources(sources));
  });

  it('comes out of a rebuild byte by byte', async () => {
    const built = await buildBundle(opa, {
      name: 'default-policy',
      sources: SOURCES,
      vectors: join(POLICIES, 'vectors'),
    });
    expect(built.manifest).toEqual(manifest);
    expect(built.wasm.equals(readFileSync(`${DIST}.wasm`))).toBe(true);
  });

  it('need not be sent the arguments', () => {
    expect(manifest.readsArguments).toBe(false);
  });
});
