// What the platform's policy is told less of, it must not miss: with the called names alone it answers as with all of them.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '#core/json.ts';
import type { McpCall } from '#core/mcp-call.ts';
import { createBundleSource, DEFAULT_BUNDLE } from '#ext-authz/policy/bundle.ts';
import { type GrantPart, withCalledNames } from '#ext-authz/policy/called-names.ts';
import { loadVectors } from '#policies/build/vectors.ts';
import { loadPolicyModule } from '#runtime/policy/wasm-module.ts';

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
  it('is one that looks up called names only; one that was changed has to be shown to be, here, and is entered then', async () => {
    expect((await createBundleSource(DEFAULT_BUNDLE).load()).calledNamesOnly).toBe(true);
    expect(sound.length).toBeGreaterThanOrEqual(80);
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
