// Tokens that were verified a moment ago, by digest: the token itself is not kept. A hit is good only under the very
// issuer settings, binding and keys it was verified with, and its times are judged anew each time.

import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Deny } from '#core/decision.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Secret } from '#core/secret.ts';
import type { Presentation, VerifiedCredential, VerifiedIdentity } from '#ext-authz/identity/credential.ts';
import { acceptIssuer } from '#ext-authz/identity/issuers.ts';
import type { KeySets } from '#ext-authz/identity/key-sets.ts';
import { judgeTokenTimes } from '#ext-authz/identity/token-times.ts';
import type { Metrics } from '#runtime/metrics.ts';

export type TokenCache = {
  /** What verifying again would say; undefined where only verifying can tell. */
  find(token: Secret, at: Presentation): Result<VerifiedCredential, Deny> | undefined;
  keep(token: Secret, at: Presentation, credential: VerifiedCredential): void;
  /** Drops the tokens of callers who are meant; @returns whose they were. */
  forget(isMeant: (caller: KnownCaller) => boolean): readonly KnownCaller[];
};

/** A caller whose token was verified, and under which name what is kept for him is found. */
export type KnownCaller = {
  readonly owner: { readonly tenantId: string; readonly principal: string };
  readonly identity: VerifiedIdentity;
};

/** Bounds the harm of whatever the conditions of a hit do not cover. */
const MAX_AGE_SECONDS = 300;

/** A token of a hundred thousand people: 1 KB each where they are in few groups. */
const MAX_ENTRIES = 100_000;

type Entry = {
  readonly tenantId: string;
  readonly credential: VerifiedCredential;
  /** Digests of the issuer and the binding it was verified under: the very same strings for all their tokens. */
  readonly issuer: string;
  readonly binding: string;
  readonly verifiedAt: number;
};

// Parts are written as JSON, so no two lists of parts read the same.
const digest = (parts: readonly unknown[]): string => hash('sha256', JSON.stringify(parts), 'base64url');

const keyOf = (token: Secret, at: Presentation): string =>
  digest([at.tenant.id, at.server.id, token.reveal()]);

const digests = new WeakMap<object, string>();

const digestOf = (value: object): string => {
  const known = digests.get(value) ?? digest([value]);
  digests.set(value, known);
  return known;
};

/** What the tenant now says of the issuer and binding an entry was verified under. */
const currentTerms = ({ credential }: Entry, at: Presentation) => {
  const { issuer: iss, tid } = credential.identity;
  const accepted = acceptIssuer(at.tenant, { iss, ...(tid === undefined ? {} : { tid }) });
  if (!accepted.ok) return undefined;
  const { issuer } = accepted.value;
  const binding = at.server.bindings.find((candidate) => candidate.issuerId === issuer.id);
  return binding === undefined ? undefined : { issuer, binding };
};

const isCurrent = (entry: Entry, at: Presentation, keySets: KeySets): boolean => {
  const terms = currentTerms(entry, at);
  if (terms === undefined) return false;
  if (digestOf(terms.issuer) !== entry.issuer || digestOf(terms.binding) !== entry.binding) return false;
  const age = at.nowSeconds - entry.verifiedAt;
  if (age < 0 || age > MAX_AGE_SECONDS) return false;
  const { basis } = entry.credential;
  const isBased = basis.kind === 'answer' || keySets.revision(terms.issuer) === basis.revision;
  return isBased && at.nowSeconds < basis.until;
};

/** A cache of one process. */
export const createTokenCache = (options: {
  readonly keySets: KeySets;
  readonly metrics: Metrics;
  readonly maxEntries?: number;
}): TokenCache => {
  const entries = new LRUCache<string, Entry>({ max: options.maxEntries ?? MAX_ENTRIES });
  const lookups = options.metrics.counter('verified_token_cache_total', 'Lookups of verified tokens.', [
    'outcome',
  ]);
  return {
    find: (token, at) => {
      const key = keyOf(token, at);
      const entry = entries.get(key);
      if (entry === undefined || !isCurrent(entry, at, options.keySets)) {
        entries.delete(key);
        lookups.inc({ outcome: 'miss' });
        return undefined;
      }
      lookups.inc({ outcome: 'hit' });
      const { identity, notBefore, issuer } = entry.credential;
      const times = { expiresAt: identity.expiresAt, notBefore };
      const untimely = judgeTokenTimes(times, issuer.clockToleranceSeconds, at.nowSeconds);
      return untimely === undefined ? ok(entry.credential) : err(untimely);
    },
    keep: (token, at, credential) => {
      entries.set(keyOf(token, at), {
        tenantId: at.tenant.id,
        credential,
        issuer: digestOf(credential.issuer),
        binding: digestOf(credential.binding),
        verifiedAt: at.nowSeconds,
      });
    },
    forget: (isMeant) => {
      const forgotten: KnownCaller[] = [];
      for (const [key, { tenantId, credential }] of [...entries.entries()]) {
        const { identity } = credential;
        const caller = { owner: { tenantId, principal: identity.principal }, identity };
        if (!isMeant(caller)) continue;
        entries.delete(key);
        forgotten.push(caller);
      }
      return forgotten;
    },
  };
};
