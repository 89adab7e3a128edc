// What a finding about a person means for the tokens that person holds. Pure; times are seconds since the epoch.

import type { ActivePerson } from '#ext-authz/revocation/active-people.ts';
import type { PersonFinding } from '#ext-authz/revocation/graph-people.ts';

/** Tokens issued before `notBefore` are to be refused. */
export type PersonMark = { readonly notBefore: number; readonly because: string };

const BECAUSE = {
  gone: 'the directory does not know the account any more',
  disabled: 'the account was disabled',
  ended: 'sign-ins of the account were ended',
} as const;

/** The mark that ends tokens of a person; undefined where no token is to be ended. */
export const judgeFinding = (
  finding: PersonFinding,
  { oldestIssuedAt }: Pick<ActivePerson, 'oldestIssuedAt'>,
  nowSeconds: number,
): PersonMark | undefined => {
  if (oldestIssuedAt === undefined) return undefined;
  switch (finding.kind) {
    case 'gone':
    case 'disabled':
      // A token of this very second lives on until the next look: a mark never lies ahead (core/revocation.ts).
      return { notBefore: nowSeconds, because: BECAUSE[finding.kind] };
    case 'enabled': {
      if (finding.validFrom === undefined || finding.validFrom <= oldestIssuedAt) return undefined;
      // A time to come, taken at its word, would keep somebody out who signs in anew.
      return { notBefore: Math.min(finding.validFrom, nowSeconds), because: BECAUSE.ended };
    }
    case 'unknown':
      return undefined;
  }
};
