import { describe, expect, it } from 'vitest';
import { judgeFinding } from '#ext-authz/revocation/judge-finding.ts';

const HOLDER = { oldestIssuedAt: 1_000 };
const NOW = 2_000;

describe('a finding about a person', () => {
  it.each(['gone', 'disabled'] as const)('ends every token there is of one who is %s', (kind) => {
    expect(judgeFinding({ kind }, HOLDER, NOW)?.notBefore).toBe(2_000);
  });

  it('ends tokens from before the moment since when sign-ins count', () => {
    expect(judgeFinding({ kind: 'enabled', validFrom: 1_500 }, HOLDER, NOW)?.notBefore).toBe(1_500);
  });

  it('ends nothing where all tokens are from that moment or after it', () => {
    expect(judgeFinding({ kind: 'enabled', validFrom: 1_000 }, HOLDER, NOW)).toBeUndefined();
    expect(judgeFinding({ kind: 'enabled', validFrom: 900 }, HOLDER, NOW)).toBeUndefined();
    expect(judgeFinding({ kind: 'enabled' }, HOLDER, NOW)).toBeUndefined();
  });

  it('does not keep out who signs in anew, whatever the provider says of the future', () => {
    expect(judgeFinding({ kind: 'enabled', validFrom: 9_000 }, HOLDER, NOW)?.notBefore).toBe(2_000);
  });

  it('ends nothing of whom nothing was learnt, and nothing where no token is left', () => {
    expect(judgeFinding({ kind: 'unknown' }, HOLDER, NOW)).toBeUndefined();
    expect(judgeFinding({ kind: 'disabled' }, {}, NOW)).toBeUndefined();
  });
});
