// Bounds between which there is nothing: refused, because no value could keep to both.

import type { McpServer } from '#core/server.ts';
import type { Fault } from '#registry/commands/outcome.ts';
import { eachServer } from '#registry/commands/rules/each-server.ts';
import type { Rule } from '#registry/commands/rules/rule.ts';

const judgeServer = ({ adaptive = {} }: McpServer): Fault[] => {
  const { timeout, retries, backoff } = adaptive;
  const bounds = [
    { pointer: '/adaptive/timeout/minMs', min: timeout?.minMs, max: timeout?.maxMs },
    { pointer: '/adaptive/retries/budgetPercent/min', ...retries?.budgetPercent },
    { pointer: '/adaptive/backoff/baseMs/min', ...backoff?.baseMs },
  ];
  return bounds
    .filter(({ min = 0, max = 0 }) => min > max)
    .map(({ pointer }) => ({ pointer, message: 'the minimum is above the maximum' }));
};

/** A server's adaptive bounds leave room. */
export const adaptiveRule: Rule = eachServer(judgeServer);
