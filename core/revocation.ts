// Marks that end what somebody held: tokens and sessions that began before a moment count no more. A mark blocks nobody:
// who signs in anew is let in, and who must stay out is for the identity provider or a kill switch. Knows no store.

import type { Identity } from '#core/identity.ts';

/** Whose tokens, or which one. An Entra `sub` is another for each application, so people of a directory go by `oid`. */
export type RevocationTarget =
  /** `sub` at an issuer of the tenant. */
  | { readonly kind: 'subject'; readonly issuerId: string; readonly subject: string }
  /** A person or application of an Entra directory, whichever issuer of the tenant its tokens are of. */
  | { readonly kind: 'directory-user'; readonly tid: string; readonly oid: string }
  /** One token: `uti` or `jti`. */
  | { readonly kind: 'token'; readonly issuerId: string; readonly tokenId: string };

/** The ways by which marks come. */
export const REVOCATION_SOURCES = ['operator', 'shared-signals', 'graph', 'token-exchange'] as const;
export type RevocationSource = (typeof REVOCATION_SOURCES)[number];

/** Longest reason, characters. */
export const MAX_REVOCATION_REASON = 500;

export type Revocation = {
  /** Stays with the target: a later moment makes it the same mark, moved. */
  readonly id: string;
  readonly tenantId: string;
  readonly target: RevocationTarget;
  /** Tokens and sessions that began before this are refused. Seconds since the epoch. */
  readonly notBefore: number;
  readonly source: RevocationSource;
  /** For people. */
  readonly reason: string;
  /** The operator; absent where nobody but a program said it. */
  readonly actor?: string;
  /** When it was recorded, RFC 3339. */
  readonly at: string;
  /** Seconds since the epoch: whatever began before `notBefore` has ended by itself then, and the mark is forgotten. */
  readonly until: number;
};

/** What a channel has heard, on its way to become a mark. */
export type RevocationReport = Pick<Revocation, 'tenantId' | 'target' | 'notBefore' | 'source' | 'reason'>;

/** What became of it: `changed` is false where a mark said as much already. */
export type RevocationAnswer =
  | { readonly state: 'recorded'; readonly id: string; readonly changed: boolean }
  | { readonly state: 'refused'; readonly fault: RevocationFault };

/**
 * `not-before-ahead`: the moment is in the future. `ended`: so long ago that nothing from before it can still live.
 * `full`: the tenant has as many marks as it may.
 */
export type RevocationFault =
  | 'tenant-unknown'
  | 'issuer-unknown'
  | 'directory-unknown'
  | 'not-before-ahead'
  | 'ended'
  | 'full';

/** All that a mark can know a credential by. */
export type CredentialFacts = {
  readonly issuerId: string;
  readonly subject: string;
  /** Who acts for the subject (RFC 8693 §4.1): with him gone, nobody acts. */
  readonly actor?: string;
  readonly tid?: string;
  readonly oid?: string;
  readonly tokenId?: string;
  /** `iat`, or when a client certificate became valid; seconds since the epoch. */
  readonly issuedAt: number;
};

export const credentialFacts = (identity: Omit<Identity, 'groups'>): CredentialFacts => {
  const { issuerId, subject, actor, tid, oid, tokenId, issuedAt } = identity;
  return {
    issuerId,
    subject,
    issuedAt,
    ...(actor === undefined ? {} : { actor }),
    ...(tid === undefined ? {} : { tid }),
    ...(oid === undefined ? {} : { oid }),
    ...(tokenId === undefined ? {} : { tokenId }),
  };
};

/** Ids of directories are GUIDs, which are written in either case. */
const directoryKey = (tid: string, oid: string): string =>
  JSON.stringify(['directory-user', tid.toLowerCase(), oid.toLowerCase()]);

/** A target as one text. JSON, so that no name can borrow from the next. */
export const targetKey = (target: RevocationTarget): string => {
  switch (target.kind) {
    case 'subject':
      return JSON.stringify(['subject', target.issuerId, target.subject]);
    case 'directory-user':
      return directoryKey(target.tid, target.oid);
    case 'token':
      return JSON.stringify(['token', target.issuerId, target.tokenId]);
  }
};

/** Keys of the targets that mean whoever holds this credential, at any time. */
export const callerKeys = ({ issuerId, subject, actor, tid, oid }: CredentialFacts): readonly string[] => [
  targetKey({ kind: 'subject', issuerId, subject }),
  ...(actor === undefined ? [] : [targetKey({ kind: 'subject', issuerId, subject: actor })]),
  ...(tid === undefined || oid === undefined ? [] : [directoryKey(tid, oid)]),
];

/** Key of the target that means this very token. */
export const tokenKey = ({ issuerId, tokenId }: CredentialFacts): string | undefined =>
  tokenId === undefined ? undefined : targetKey({ kind: 'token', issuerId, tokenId });
