// What an approval does to pins, in memory: the store does it row by row (registry/store/write-approvals.ts), and the
// store's own tests hold that to the same outcome.

import type { Definition } from '#registry/approval/definition.ts';
import type { Pins } from '#registry/approval/pins.ts';

/** The pins after `definition` was approved as `version`. Tools it does not have keep theirs. */
export const pinsAfter = (pins: Pins, { surface, tools }: Definition, version: string): Pins => ({
  surface: { version, surface, toolNames: tools.map(({ name }) => name).toSorted() },
  tools: new Map([...pins.tools, ...tools.map((tool) => [tool.name, { version, tool }] as const)]),
});
