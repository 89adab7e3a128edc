// How the building of a check is given up, from whatever depth; caught once, in judge-by-schema.ts.

import type { UnusableCause } from '#runtime/json-schema/verdict.ts';

export class UnusableSchema extends Error {
  readonly reason: UnusableCause;

  constructor(reason: UnusableCause) {
    super(`the schema cannot be used: ${reason}`);
    this.reason = reason;
  }
}

export const unusable = (reason: UnusableCause): never => {
  throw new UnusableSchema(reason);
};
