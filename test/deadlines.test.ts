// Three parts wait for each other, in three places that may not import one another: this keeps their limits nested.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const constant = (file: string, pattern: RegExp): number => {
  const found = pattern.exec(readFileSync(join(import.meta.dirname, '..', file), 'utf8'))?.[1];
  if (found === undefined) throw new Error(`${file} has no ${pattern}`);
  return Number(found.replaceAll('_', ''));
};

describe('the deadlines of a call', () => {
  it('nest: the exchange ends before the check, the check before Envoy gives up on it', () => {
    const exchangeMs = constant('ext-authz/token/token-endpoint.ts', /EXCHANGE_TIMEOUT_MS = ([\d_]+)/);
    const checkMs = constant('ext-authz/main.ts', /CHECK_DEADLINE_MS = ([\d_]+)/);
    const recordMs = constant('ext-authz/main.ts', /RECORD_DEADLINE_MS = ([\d_]+)/);
    const envoyMs = 1000 * constant('xds-server/filters/ext-authz.ts', /TIMEOUT = '(\d+)s'/);
    expect(exchangeMs).toBeLessThan(checkMs);
    expect(checkMs + recordMs).toBeLessThan(envoyMs);
  });
});
