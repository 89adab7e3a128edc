// What the platform's policy is told less of, or not asked again about, it must not miss: with the called names alone it answers
// as with all of them, and of a call without limits it reads nothing but what an answer is kept by.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '#core/json.ts';
import type { McpCall } from '#core/mcp-call.ts';
import { createBundleSource, DEFAULT_BUNDLE } from '#ext-authz/policy/bundle.ts';
import { type GrantPart, withCalledNames } from '#ext-authz/policy/called-names.ts';
import { PLATFORM_RULES } from '#policies/build/folders.ts';
import { reachableFrom, startsWith } from '#policies/build/reach.ts';
import { loadSources, parseRules } from '#policies/build/sources.ts';
import { loadVectors } from '#policies/build/vectors.ts';
import { loadPolicyModule } from '#runtime/policy/wasm-module.ts';
import { requireOpa } from '#test/policy/opa.ts';

const OTHERS = Array.from({ length: 50 }, (_, index) => `other-${index}`);

const vectors = await loadVectors(resolve(import.meta.dirname, '../../policies/vectors'));
const policy = loadPolicyModule(readFileSync(DEFAULT_BUNDLE.replace(/\.json$/, '.wasm')), {
  data: {},
  entrypoints: ['mcp/authz/decision'],
}).instantiate();

const decide = (input: JsonObject): unknown => policy.evaluate(JSON.stringify(input), 'mcp/authz/decision');

type Call = { readonly targets: McpCall['targets'] };

const isWhole = (value: Json | undefined): boolean =>
  Array.isArray(value) &&
  value.every((part) =>
    ['subjects', 'tools', 'prompts', 'resources'].every((name) =>
      Array.isArray((part as JsonObject | null)?.[name]),
    ),
  );

/** Vectors whose input ext-authz could have made; the others show what becomes of malformed ones. */
const sound = vectors.filter(
  ({ entrypoint, input }) =>
    entrypoint === 'mcp/authz/decision' &&
    isWhole(input['grants']) &&
    Array.isArray((input['call'] as JsonObject | undefined)?.['targets']),
);

describe("the platform's policy", () => {
  it('is one of known rules; one that was changed has to be shown to be, here, and is entered then', async () => {
    expect((await createBundleSource(DEFAULT_BUNDLE).load()).rulesAreKnown).toBe(true);
    expect(sound.length).toBeGreaterThanOrEqual(80);
  });

  it('reads of an input only what lasts, the called tool, the method, the targets and values that limits look at', async () => {
    const rules = await parseRules(requireOpa(), PLATFORM_RULES, await loadSources(PLATFORM_RULES));
    const used = [...reachableFrom(rules, ({ path }) => path === 'mcp.authz.decision')];
    expect(used.length).toBeGreaterThan(20);
    expect(used.filter(({ replaces }) => replaces)).toEqual([]);
    const lasting = [['identity'], ['server'], ['grants'], ['tool']];
    const ofTheCall = ['method', 'targets', 'values'].map((member) => ['call', member]);
    const others = used
      .flatMap(({ inputs }) => inputs)
      .filter((read) => ![...lasting, ...ofTheCall].some((prefix) => startsWith(read, prefix)));
    expect(others).toEqual([]);
  });

  it('answers a call that no limit concerns by its method and targets, whatever else it brings', () => {
    const free = sound.filter(({ input }) => {
      const { constraints = [] } = (input['tool'] ?? {}) as { constraints?: readonly Json[] };
      return constraints.length === 0;
    });
    expect(free.length).toBeGreaterThanOrEqual(20);
    for (const { input } of free) {
      const { method, targets } = input['call'] as { method?: string; targets: Json };
      const call = {
        method: method ?? null,
        targets,
        kind: 'notification',
        values: { '/x': 1 },
        arguments: { x: 1 },
      };
      const request = { time: '1999-12-31T23:59:59.999Z', ip: '203.0.113.9', session: 'other', id: 'other' };
      const told = method === undefined ? { ...call, method: undefined } : call;
      expect(decide({ ...input, tenant: 'other', call: told as unknown as Json, request })).toEqual(
        decide(input),
      );
    }
  });

  it.each(sound.map(({ title, input }) => [title, input] as const))('%s', (_title, input) => {
    const grants = (input['grants'] as unknown as readonly GrantPart[]).map((grant) => ({
      ...grant,
      tools: [...OTHERS, ...grant.tools],
      prompts: [...grant.prompts, ...OTHERS],
      resources: [...OTHERS, ...grant.resources],
    }));
    const whole = { ...input, grants } as unknown as JsonObject;
    const { targets } = input['call'] as unknown as Call;
    const named = withCalledNames(grants, targets);
    expect(JSON.stringify(named)).not.toMatch(/other-/);
    expect(decide({ ...whole, grants: named as unknown as Json })).toEqual(decide(whole));
  });
});
