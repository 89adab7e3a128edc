// The shape of a server's adaptive bounds (core/adaptive-settings.ts). That a minimum is not above its maximum is for
// registry/commands/rules/adaptive-rule.ts.

import { Type } from 'typebox';

const range = (minimum: number, maximum: number) => Type.Integer({ minimum, maximum });

/** What Envoy's own timers still keep, and no client waits longer for a first byte. */
const Timeout = range(10, 3_600_000);
const Percent = range(1, 100);
const Pause = range(1, 60_000);

const closed = { additionalProperties: false };

export const AdaptiveSchema = Type.Object(
  {
    timeout: Type.Optional(
      Type.Object(
        { minMs: Timeout, maxMs: Timeout },
        { ...closed, description: 'How long the first byte of an answer may take, milliseconds.' },
      ),
    ),
    retries: Type.Optional(
      Type.Object(
        { max: range(0, 5), budgetPercent: Type.Object({ min: Percent, max: Percent }, closed) },
        {
          ...closed,
          description:
            'Attempts after the first of calls that may be tried again, and the share of calls in flight they may be.',
        },
      ),
    ),
    backoff: Type.Optional(
      Type.Object(
        { baseMs: Type.Object({ min: Pause, max: Pause }, closed) },
        { ...closed, description: 'Pause before the first retry, milliseconds.' },
      ),
    ),
  },
  {
    ...closed,
    description:
      'Bounds within which the control plane moves time limit, retries and back-off by what it measures.',
  },
);
