// The Bearer challenge of a 401 or a 403 (RFC 6750 §3, RFC 9728 §5.1). Its form follows what MCP clients really read:
// it starts with `Bearer `, is the only challenge, and `error_description` stands last, because some clients take the
// first `scope=` or `error=` found anywhere in the header.

import type { Deny } from '#core/decision.ts';
import { describeReason } from '#core/reason.ts';
import { challengeScopes } from '#ext-authz/response/scopes.ts';

export type ChallengeContext = {
  /** Absolute, made from the configured public URL. */
  readonly resourceMetadataUrl?: string | undefined;
  /** Scopes the server advertises. */
  readonly scopes: readonly string[];
};

type Parameter = readonly [name: string, value: string | undefined];

// RFC 6750 §3: values are visible ASCII and space; quote and backslash are not allowed in any of them.
const quotable = (value: string): string => value.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, '');

const formatChallenge = (parameters: readonly Parameter[]): string => {
  const written = parameters
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${name}="${quotable(value ?? '')}"`);
  return `Bearer ${written.length === 0 ? 'realm="mcp"' : written.join(', ')}`;
};

const errorOf = (denial: Deny): string | undefined => {
  // Without a token there is nothing to call an error (RFC 6750 §3.1).
  if (denial.reason === 'token_missing') return undefined;
  if (denial.reason === 'step_up_required') return 'insufficient_claims';
  return describeReason(denial.reason).delivery === 'scope' ? 'insufficient_scope' : 'invalid_token';
};

// With what is missing goes what is held: version 1 of the SDK asks for exactly these scopes, so two tools called in turn
// would each cost a sign-in every time.
const scopesOf = (
  { publicFacts: { requiredScopes, heldScopes = [] } }: Deny,
  advertised: readonly string[],
): readonly string[] =>
  requiredScopes === undefined
    ? challengeScopes(advertised, [])
    : challengeScopes([...requiredScopes, ...heldScopes], advertised);

/**
 * The value of `WWW-Authenticate` for a refusal delivered as a challenge; undefined for one that is not.
 * A step-up has a challenge only where the provider's claims may be handed on: without them a client would sign in
 * again, come back with the same token, and loop.
 */
export const challengeFromDeny = (denial: Deny, context: ChallengeContext): string | undefined => {
  const { delivery, sentence } = describeReason(denial.reason);
  if (delivery !== 'challenge' && delivery !== 'scope') return undefined;
  const isStepUp = denial.reason === 'step_up_required';
  if (isStepUp && denial.publicFacts.claims === undefined) return undefined;
  const error = errorOf(denial);
  return formatChallenge([
    ['error', error],
    ['resource_metadata', context.resourceMetadataUrl],
    ['scope', scopesOf(denial, context.scopes).join(' ')],
    ['claims', isStepUp ? denial.publicFacts.claims : undefined],
    ['error_description', error === undefined ? undefined : sentence],
  ]);
};
