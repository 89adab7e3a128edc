// The challenge of a 401 or a 403 (RFC 6750 §3, RFC 9449 §7.1, RFC 9728 §5.1). Its form follows what MCP clients really
// read: it starts with `Bearer ` wherever bearer tokens are taken, names each parameter once, and `error_description`
// stands last, because some clients take the first `scope=` or `error=` found anywhere in the header.

import type { Deny } from '#core/decision.ts';
import { DPOP_ALGORITHMS, type DpopMode } from '#core/dpop.ts';
import { describeReason, type Reason } from '#core/reason.ts';
import { challengeScopes } from '#core/told-scopes.ts';

export type ChallengeContext = {
  /** Absolute, made from the configured public URL. */
  readonly resourceMetadataUrl?: string | undefined;
  /** Scopes the server advertises. */
  readonly scopes: readonly string[];
  /** Whether the server takes tokens that are bound to a key; undefined: bearer tokens only. */
  readonly dpop?: DpopMode | undefined;
  /** The refused request had a token under the scheme `DPoP`: what is wrong is told under that scheme. */
  readonly sentByDpop?: boolean;
};

type Parameter = readonly [name: string, value: string | undefined];

// RFC 6750 §3: values are visible ASCII and space; quote and backslash are not allowed in any of them.
const quotable = (value: string): string => value.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, '');

const formatChallenge = (scheme: 'Bearer' | 'DPoP', parameters: readonly Parameter[]): string => {
  const written = parameters
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${name}="${quotable(value ?? '')}"`);
  return `${scheme} ${written.length === 0 ? 'realm="mcp"' : written.join(', ')}`;
};

/** RFC 9449 §7.1: what is wrong with the proof. A proof of another key than the token's makes the token the invalid one. */
const PROOF_REASONS: readonly Reason[] = [
  'dpop_proof_missing',
  'dpop_proof_malformed',
  'dpop_algorithm_refused',
  'dpop_signature_invalid',
  'dpop_wrong_request',
  'dpop_proof_untimely',
  'dpop_wrong_token',
  'dpop_proof_replayed',
];

/** Refusals for want of a stronger sign-in. */
const STEP_UPS: readonly Reason[] = ['step_up_required', 'assurance_insufficient'];

const isStepUp = ({ reason }: Deny): boolean => STEP_UPS.includes(reason);

/** What to ask for. Without it a client would sign in again, come back with the same token, and loop. */
const stepUpOf = ({ publicFacts: { claims, acrValues } }: Deny): Parameter | undefined => {
  if (claims !== undefined) return ['claims', claims];
  return acrValues === undefined ? undefined : ['acr_values', acrValues.join(' ')];
};

const errorOf = (denial: Deny): string | undefined => {
  // Without a token there is nothing to call an error (RFC 6750 §3.1).
  if (denial.reason === 'token_missing') return undefined;
  if (isStepUp(denial))
    return denial.publicFacts.claims === undefined
      ? 'insufficient_user_authentication'
      : 'insufficient_claims';
  if (PROOF_REASONS.includes(denial.reason)) return 'invalid_dpop_proof';
  return describeReason(denial.reason).delivery === 'scope' ? 'insufficient_scope' : 'invalid_token';
};

// With what is missing goes what is held: version 1 of the SDK asks for exactly these scopes, so two tools called in turn
// would each cost a sign-in every time, and a stronger sign-in the scopes of the one before.
const scopesOf = (
  { publicFacts: { requiredScopes, heldScopes = [] } }: Deny,
  advertised: readonly string[],
): readonly string[] => challengeScopes([...(requiredScopes ?? advertised), ...heldScopes], advertised);

type Parts = Readonly<Record<'error' | 'place' | 'fault', readonly Parameter[]>>;

/**
 * One challenge for each scheme the server takes, in one header. Where both are taken, the second repeats nothing of the
 * first, and what is wrong stands under the scheme that was used.
 */
const joinSchemes = (context: ChallengeContext, { error, place, fault }: Parts): string => {
  const algorithms: readonly Parameter[] = [['algs', DPOP_ALGORITHMS.join(' ')]];
  if (context.dpop === undefined) return formatChallenge('Bearer', [...error, ...place, ...fault]);
  if (context.dpop === 'required')
    return formatChallenge('DPoP', [...error, ...algorithms, ...place, ...fault]);
  return context.sentByDpop === true
    ? `${formatChallenge('Bearer', place)}, ${formatChallenge('DPoP', [...error, ...algorithms, ...fault])}`
    : `${formatChallenge('Bearer', [...error, ...place, ...fault])}, ${formatChallenge('DPoP', algorithms)}`;
};

/**
 * The value of `WWW-Authenticate` for a refusal delivered as a challenge; undefined for one that is not, and for a step-up
 * that the client could not take. Stronger sign-ins are asked for in Entra's way (`claims`) or by RFC 9470 (`acr_values`).
 */
export const challengeFromDeny = (denial: Deny, context: ChallengeContext): string | undefined => {
  const { delivery, sentence } = describeReason(denial.reason);
  if (delivery !== 'challenge' && delivery !== 'scope') return undefined;
  const stepUp = isStepUp(denial) ? stepUpOf(denial) : undefined;
  if (isStepUp(denial) && stepUp === undefined) return undefined;
  const error = errorOf(denial);
  const place: readonly Parameter[] = [
    ['resource_metadata', context.resourceMetadataUrl],
    ['scope', scopesOf(denial, context.scopes).join(' ')],
    ...(stepUp === undefined ? [] : [stepUp]),
  ];
  const fault: readonly Parameter[] = [['error_description', error === undefined ? undefined : sentence]];
  return joinSchemes(context, { error: [['error', error]], place, fault });
};
