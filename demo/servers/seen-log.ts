// What arrived lately, for tests that prove whose token reached the server. Facts only, and a bounded number of them.

import type { TokenFacts } from '#demo/servers/token-check.ts';

const KEPT = 200;

export type SeenCall = TokenFacts & { readonly method: string; readonly headerNames: readonly string[] };

export type SeenLog = { add(call: SeenCall): void; list(): readonly SeenCall[] };

export const createSeenLog = (): SeenLog => {
  const calls: SeenCall[] = [];
  return {
    add: (call) => {
      calls.push(call);
      if (calls.length > KEPT) calls.shift();
    },
    list: () => [...calls],
  };
};
