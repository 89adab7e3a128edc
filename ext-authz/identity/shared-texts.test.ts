// Equal texts of two callers are held once, and nobody gets a list that is not his own.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Identity } from '#core/identity.ts';
import { shareIdentity } from '#ext-authz/identity/shared-texts.ts';

/** Built anew each time, as texts of two tokens are. */
const identityOf = (groups: readonly string[], subject = 's'): Identity => ({
  principal: `["https://idp.example","${subject}"]`,
  kind: 'user',
  issuerId: 'home',
  issuer: 'https://idp.example',
  audience: 'api://gateway',
  relation: 'home',
  subject,
  groups: groups.map((group) => Buffer.from(group).toString()),
  roles: [],
  scopes: ['tools.use'],
  guest: false,
  assurance: [],
  claimsChallenges: false,
  issuedAt: 1,
  expiresAt: 2,
});

it('holds equal lists once', () => {
  const [one, other] = ['a', 'b'].map((subject) => shareIdentity(identityOf(['g1', 'g2'], subject)));
  expect(other?.groups).toBe(one?.groups);
  expect(other?.scopes).toBe(one?.scopes);
  expect(other?.subject).toBe('b');
});

it('changes no identity, whatever its texts are', () => {
  const text = fc.oneof(fc.string(), fc.constantFrom('', ',', '"', '\\', '\u0000', '","', 'x'.repeat(600)));
  fc.assert(
    fc.property(fc.array(fc.array(text), { minLength: 1 }), (lists) => {
      const identities = lists.map((groups) => identityOf(groups));
      expect(identities.map(shareIdentity)).toEqual(identities);
    }),
  );
});
