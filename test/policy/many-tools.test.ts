// A server with a thousand tools: what a list may show of them is one evaluation, and what is shown can be called.

import { expect, it } from 'vitest';
import { createBundleSource, DEFAULT_BUNDLE } from '#ext-authz/policy/bundle.ts';
import { createPolicy } from '#ext-authz/policy/judge.ts';
import { grant, listCall, question, tenant, tool, toolCall, VERSION } from '#test/support/policy-world.ts';

const NAMES = Array.from({ length: 1_000 }, (_, index) => `tool_of_a_long_name_${index}`);
const annotations = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
};
const version = {
  ...VERSION,
  tools: NAMES.map((name) => tool(name, { annotations, tags: ['finance', 'emea'], requiredScopes: ['a.b'] })),
};

it('shows exactly what is granted of a thousand tools, in one evaluation', async () => {
  const engine = await createBundleSource(DEFAULT_BUNDLE).load();
  let asked = 0;
  const counting = {
    ...engine,
    visible: (input: Parameters<typeof engine.visible>[0]) => {
      asked += 1;
      return engine.visible(input);
    },
  };
  const { judge } = createPolicy({ holder: { current: () => counting } });
  const granted = NAMES.filter((_, index) => index % 2 === 0);
  for (const [names, shown] of [
    [granted, granted],
    [['*'], NAMES],
    [[], []],
  ] as const) {
    const world = tenant([grant('g', { tools: names })]);
    asked = 0;
    expect(judge(question({ tenant: world, version, call: listCall('tools') }))).toMatchObject({
      value: { lists: [{ kind: 'tools', visible: { all: false, names: shown } }] },
    });
    expect(asked).toBe(1);
  }
  const world = tenant([grant('g', { tools: granted })]);
  const reasons = ['tool_of_a_long_name_998', 'tool_of_a_long_name_999'].map((name) => {
    const judged = judge(question({ tenant: world, version, call: toolCall(name) }));
    return judged.ok ? 'allowed' : judged.error.reason;
  });
  // The list shows it; the scope it needs is said when it is called.
  expect(reasons).toEqual(['scope_insufficient', 'tool_not_granted']);
});
