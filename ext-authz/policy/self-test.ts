// What a policy must prove before it serves: its own vectors, answered exactly, and three refusals no policy may
// withhold. A bundle that compiles and says yes to strangers stops here.

import { isDeepStrictEqual } from 'node:util';
import type { JsonObject } from '#core/json.ts';
import type { PolicyEngine } from '#ext-authz/policy/engine.ts';
import type { SelfTestVector } from '#ext-authz/policy/manifest.ts';
import { STRANGER, TOOL } from '#runtime/policy/stranger.ts';
import type { PolicyInstance } from '#runtime/policy/wasm-module.ts';

const CALL = {
  kind: 'request',
  method: 'tools/call',
  targets: [{ kind: 'tool', name: 'self_test' }],
  values: {},
};
const EVERYTHING = {
  id: 'all',
  subjects: [{ kind: 'group', id: 'self-test' }],
  prompts: ['*'],
  resources: ['*'],
};

const FORBIDDEN: readonly { readonly title: string; readonly input: JsonObject }[] = [
  { title: 'refuses a caller without grants', input: { ...STRANGER, tool: TOOL, call: CALL } },
  {
    title: 'refuses a tool that is not pinned',
    input: { ...STRANGER, grants: [{ ...EVERYTHING, tools: ['*'] }], call: CALL },
  },
  {
    title: 'refuses a tool that is not granted',
    input: { ...STRANGER, grants: [{ ...EVERYTHING, tools: ['other'] }], tool: TOOL, call: CALL },
  },
];

const isRefused = (engine: PolicyEngine, input: JsonObject): boolean => {
  const decision = engine.evaluate(input);
  return decision.ok && !decision.value.allow;
};

const answers = (instance: PolicyInstance, vector: SelfTestVector): boolean =>
  isDeepStrictEqual(instance.evaluate(JSON.stringify(vector.input), vector.entrypoint), [
    { result: vector.expected },
  ]);

/**
 * Titles of the vectors the policy fails; none, if it may serve.
 * @throws what the instance throws.
 */
export const findFailedVectors = (
  engine: PolicyEngine,
  instance: PolicyInstance,
  vectors: readonly SelfTestVector[],
): readonly string[] => [
  ...FORBIDDEN.filter(({ input }) => !isRefused(engine, input)).map(({ title }) => title),
  ...vectors.filter((vector) => !answers(instance, vector)).map(({ title }) => title),
];
