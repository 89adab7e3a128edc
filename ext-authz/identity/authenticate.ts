// Who is calling: the one chain from the request's headers to an Identity. A credential is found, verified by its own
// kind, held against the proof it may need and against what the server asks of every caller. Nothing is read from it
// before that.

import { type Deny, deny } from '#core/decision.ts';
import type { Identity } from '#core/identity.ts';
import { err, ok, type Result } from '#core/result.ts';
import { Secret } from '#core/secret.ts';
import { findAccessToken, type RequestHeaders } from '#ext-authz/identity/access-token.ts';
import { identifyByCertificate } from '#ext-authz/identity/certificate-caller.ts';
import type {
  CredentialVerifier,
  Presentation,
  VerifiedCredential,
  VerifiedIdentity,
} from '#ext-authz/identity/credential.ts';
import type { ReplayMemory } from '#ext-authz/identity/dpop-replay.ts';
import type { GroupLookups } from '#ext-authz/identity/group-lookup.ts';
import type { Introspector } from '#ext-authz/identity/introspection.ts';
import { createJwtVerifier } from '#ext-authz/identity/jwt.ts';
import type { KeySets } from '#ext-authz/identity/key-sets.ts';
import { createOpaqueVerifier } from '#ext-authz/identity/opaque.ts';
import { createPossessionJudge } from '#ext-authz/identity/possession.ts';
import { judgeScopes } from '#ext-authz/identity/scopes.ts';
import { createTokenCache, type TokenCache } from '#ext-authz/identity/token-cache.ts';
import type { Metrics } from '#runtime/metrics.ts';

export type Caller = {
  readonly identity: Identity;
  /** The caller's own token: the assertion of a token exchange, never sent upstream. Empty for one who has none. */
  readonly token: Secret;
};

export type Authenticator = {
  /**
   * Authenticates one call.
   * @param call.nowSeconds wall clock, seconds since the epoch.
   * @returns the caller, or the Deny that names why not. May wait for one fetch of the issuer's keys or one answer of it,
   * and for the caller's groups where the token leaves them out.
   */
  authenticate(call: Presentation & { readonly headers: RequestHeaders }): Promise<Result<Caller, Deny>>;
  /** Forgets the verified tokens of callers who are meant; @returns whose they were. */
  forget: TokenCache['forget'];
};

const hasGroups = (identity: VerifiedIdentity): identity is Identity => identity.groups !== undefined;

/** @param options.maxCachedTokens verified tokens that are remembered, 100,000 if not given. */
export const createAuthenticator = (options: {
  readonly keySets: KeySets;
  readonly introspector: Introspector;
  readonly replays: ReplayMemory;
  readonly groups: Pick<GroupLookups, 'find'>;
  readonly metrics: Metrics;
  readonly maxCachedTokens?: number;
}): Authenticator => {
  const { keySets, introspector, replays, metrics, maxCachedTokens } = options;
  const possession = createPossessionJudge({ replays, metrics });
  const cache = createTokenCache({
    keySets,
    metrics,
    ...(maxCachedTokens === undefined ? {} : { maxEntries: maxCachedTokens }),
  });
  /** Every kind of credential, in the order they are asked; the first that recognises the text judges it. */
  const verifiers: readonly CredentialVerifier[] = [
    createJwtVerifier(keySets),
    createOpaqueVerifier(introspector),
  ];

  const verify = async (token: Secret, at: Presentation): Promise<Result<VerifiedCredential, Deny>> => {
    const cached = cache.find(token, at);
    if (cached !== undefined) return cached;
    const verifier = verifiers.find((candidate) => candidate.recognises(token.reveal()));
    if (verifier === undefined) return err(deny('token_malformed'));
    const verified = await verifier.verify(token, at);
    if (verified.ok) cache.keep(token, at, verified.value);
    return verified;
  };

  /** Undefined where a token is to be looked for: whoever sends anything in its place is judged by that. */
  const findMachine = (headers: RequestHeaders, at: Presentation): Result<Caller, Deny> | undefined => {
    if (at.clientCertificate === undefined || headers.has('authorization')) return undefined;
    const machine = identifyByCertificate(at.clientCertificate, at);
    return machine?.ok === true ? ok({ identity: machine.value, token: new Secret('') }) : machine;
  };

  const byToken = async (headers: RequestHeaders, at: Presentation): Promise<Result<Caller, Deny>> => {
    const found = findAccessToken(headers);
    if (!found.ok) return found;
    const { token } = found.value;
    const verified = await verify(token, at);
    if (!verified.ok) return verified;
    const unproven = await possession.judge(verified.value, { ...found.value, ...at, headers });
    if (unproven !== undefined) return err(unproven);
    const { identity, binding, issuer } = verified.value;
    const insufficient = judgeScopes(identity, binding, at.server);
    if (insufficient !== undefined) return err(insufficient);
    // The very same identity for every call with this token: what is made of it is made once (policy/input.ts).
    if (hasGroups(identity)) return ok({ identity, token });
    const groups = await options.groups.find({ ...at, issuer, identity, assertion: token });
    return groups.ok ? ok({ identity: { ...identity, groups: groups.value }, token }) : groups;
  };

  return {
    authenticate: async ({ headers, ...at }) => findMachine(headers, at) ?? byToken(headers, at),
    forget: cache.forget,
  };
};
