// Whom a record names as having judged a call: those that were asked, though others serve by the time they have answered.

import { expect, it } from 'vitest';
import { deny } from '#core/decision.ts';
import { err, ok } from '#core/result.ts';
import { createCallPolicy } from '#ext-authz/policy/call-policy.ts';
import { createPolicy } from '#ext-authz/policy/judge.ts';
import { question, tenant } from '#test/support/policy-world.ts';

const ALL = { all: true as const };
const TOOLS = { all: false as const, names: ['create_issue'] };
const SHOWN = ok({ tools: TOOLS, prompts: ALL, resources: ALL, resourceTemplates: ALL });
const YES = ok({ allow: true as const, obligations: {}, explain: [] });
const NO = ok({ allow: false as const, reason: 'tool_not_granted' as const, explain: [] });

const TENANT = {
  ...tenant([]),
  policy: {
    keys: [],
    requireSignature: false,
    bundle: { digest: 'd' },
    remote: { url: 'https://opa.example', timeoutMs: 1 },
  },
};

type Answer = typeof YES | typeof NO;

/** Serves until it is asked, and is another then. */
const serving = <T>(revision: string, engineOf: (named: string, onAsked: () => void) => T) => {
  let current = engineOf(`${revision}@2`, () => undefined);
  const after = current;
  current = engineOf(`${revision}@1`, () => {
    current = after;
  });
  return () => current;
};

const platformThat = (answer: Answer) =>
  serving('platform', (revision, onAsked) => ({
    revision,
    readsArguments: true,
    evaluate: () => {
      onAsked();
      return answer;
    },
    visible: () => SHOWN,
  }));

const bundleThat = (answer: Answer) =>
  serving('bundle', (revision, onAsked) => ({
    revision,
    evaluate: async () => {
      onAsked();
      return answer;
    },
    visible: async () => SHOWN,
  }));

const revisionWhere = async (world: { platform?: Answer; bundle?: Answer | 'missing'; remote?: Answer }) => {
  const { platform = YES, bundle = YES, remote = YES } = world;
  const serves = bundle === 'missing' ? undefined : bundleThat(bundle);
  const policy = createCallPolicy({
    platform: createPolicy({ holder: { current: platformThat(platform) } }),
    tenants: { engineOf: async () => (serves === undefined ? err(deny('policy_failed')) : ok(serves())) },
    remotes: {
      engineOf: () => ({ revision: 'remote@opa', evaluate: async () => remote, visible: async () => SHOWN }),
    },
    shadow: { observe: () => undefined },
  });
  return (await policy.judge(question({ tenant: TENANT }))).revision;
};

it.each<[string, Parameters<typeof revisionWhere>[0], string]>([
  ['all that permitted', {}, 'platform@1 bundle@1 remote@opa'],
  ['what refused last', { remote: NO }, 'platform@1 bundle@1 remote@opa'],
  ['nothing after what refused', { bundle: NO }, 'platform@1 bundle@1'],
  ['no policy of a tenant whose call the platform refused', { platform: NO }, 'platform@1'],
  ['no bundle that is not there', { bundle: 'missing' }, 'platform@1'],
])('names %s', async (_title, world, expected) => {
  expect(await revisionWhere(world)).toBe(expected);
});
