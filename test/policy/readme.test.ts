// The examples of policies/README.md, built and asked.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBundleSource } from '#ext-authz/policy/bundle.ts';
import type { PolicyQuestion } from '#ext-authz/policy/input.ts';
import { createPolicy } from '#ext-authz/policy/judge.ts';
import { buildBundle } from '#policies/build/build-bundle.ts';
import { PLATFORM_RULES } from '#policies/build/folders.ts';
import { DEFAULT_VECTORS } from '#policies/build/vectors.ts';
import { requireOpa } from '#test/policy/opa.ts';
import {
  ALICE,
  grant,
  listCall,
  NOW_MS,
  question,
  tenant,
  tool,
  toolCall,
  VERSION,
} from '#test/support/policy-world.ts';

const POLICIES = resolve(import.meta.dirname, '../../policies');
const README = readFileSync(join(POLICIES, 'README.md'), 'utf8');
const EXAMPLES = new Map(
  [...README.matchAll(/```rego\n# (\S+\.rego)\n([\s\S]*?)```/g)].map((match) => [
    match[1] ?? '',
    match[2] ?? '',
  ]),
);

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mcpgw-readme-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** The default policy with some examples beside it, built, loaded through its self-test, as the pipeline uses it. */
const policyWith = async (...names: readonly string[]) => {
  const rules = join(directory, 'rules');
  mkdirSync(rules);
  for (const name of names) writeFileSync(join(rules, name), EXAMPLES.get(name) ?? '');
  const options = { name: 'mine', sources: PLATFORM_RULES, rules, vectors: DEFAULT_VECTORS };
  const built = await buildBundle(requireOpa(), options);
  writeFileSync(join(directory, 'mine.json'), JSON.stringify(built.manifest));
  writeFileSync(join(directory, 'mine.wasm'), built.wasm);
  const engine = await createBundleSource(join(directory, 'mine.json')).load();
  const policy = createPolicy({ holder: { current: () => engine } });
  return { engine, judge: (changes: Partial<PolicyQuestion>) => policy.judge(question(changes)) };
};

describe('the examples of policies/README.md', () => {
  it('are the six this file tries', () => {
    expect([...EXAMPLES.keys()]).toEqual([
      'office-hours.rego',
      'four-eyes.rego',
      'readers.rego',
      'looked-at.rego',
      'seen-in-part.rego',
      'refused.rego',
    ]);
  });

  it('office-hours.rego refuses a destructive tool at night', async () => {
    const { judge, engine } = await policyWith('office-hours.rego');
    const identity = { ...ALICE, scopes: ['tools.use', 'issues.write'] };
    const purge = { call: toolCall('purge'), identity };
    expect(judge(purge).ok).toBe(true);
    const night = { nowMs: NOW_MS + 9 * 3_600_000 };
    expect(judge({ ...purge, request: night })).toMatchObject({
      error: { reason: 'constraint_violated', publicFacts: { constraint: 'office-hours' } },
    });
    const harmless = tool('create_issue', { annotations: { destructiveHint: false } });
    expect(judge({ request: night, version: { ...VERSION, tools: [harmless] } }).ok).toBe(true);
    expect(engine.readsArguments).toBe(false);
  });

  it('four-eyes.rego is sent the arguments and compares them', async () => {
    const { judge, engine } = await policyWith('four-eyes.rego');
    expect(engine.readsArguments).toBe(true);
    const review = (reviewer: string) => judge({ call: toolCall('create_issue', { author: 'a', reviewer }) });
    expect(review('b').ok).toBe(true);
    expect(review('a')).toMatchObject({ error: { publicFacts: { constraint: 'four-eyes' } } });
  });

  it('readers.rego opens read-only tools, in the list and in the call alike', async () => {
    const { judge } = await policyWith('readers.rego');
    const version = {
      ...VERSION,
      tools: [tool('look', { annotations: { readOnlyHint: true } }), tool('write')],
    };
    const world = tenant([grant('g', { tools: [] })]);
    expect(judge({ tenant: world, version, call: toolCall('look') }).ok).toBe(true);
    expect(judge({ tenant: world, version, call: toolCall('write') })).toMatchObject({
      error: { reason: 'tool_not_granted' },
    });
    expect(judge({ tenant: world, version, call: listCall('tools') })).toMatchObject({
      value: { lists: [{ visible: { names: ['look'] } }] },
    });
    expect(judge({ tenant: tenant([]), version, call: toolCall('look') }).ok).toBe(false);
  });

  it('looked-at.rego holds back what destroys, and nothing else', async () => {
    const { judge } = await policyWith('looked-at.rego');
    const identity = { ...ALICE, scopes: ['tools.use', 'issues.write'] };
    expect(judge({ call: toolCall('purge'), identity })).toMatchObject({
      value: { obligations: { approval: ['destructive-tools'] } },
    });
    const harmless = tool('create_issue', { annotations: { destructiveHint: false } });
    expect(judge({ version: { ...VERSION, tools: [harmless] } })).toMatchObject({
      value: { obligations: {} },
    });
  });

  it('seen-in-part.rego caps what destroys, and keeps addresses from all but support', async () => {
    const { judge } = await policyWith('seen-in-part.rego');
    const find = (more: Partial<PolicyQuestion> = {}) =>
      judge({
        version: { ...VERSION, tools: [tool('create_issue', { tags: ['personal-data'] })] },
        ...more,
      });
    expect(find()).toMatchObject({
      value: { obligations: { redact: ['/people/*/mail'], maxResponseBytes: 65_536 } },
    });
    expect(find({ identity: { ...ALICE, roles: ['support'] } })).toMatchObject({
      value: { obligations: { maxResponseBytes: 65_536 } },
    });
    const harmless = tool('create_issue', { annotations: { readOnlyHint: true } });
    expect(judge({ version: { ...VERSION, tools: [harmless] } })).toMatchObject({
      value: { obligations: {} },
    });
  });

  it('refused.rego does not build', async () => {
    await expect(policyWith('refused.rego')).rejects.toThrow(
      /permits_tool reads input\.call\.arguments\.tool/,
    );
  });
});
