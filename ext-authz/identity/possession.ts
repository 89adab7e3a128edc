// Whether a verified token is presented as it must be: with a proof of the key it is bound to, over a connection with the
// certificate it is bound to, or without where it is bound to none. Judged with every call; what is remembered of the token makes no difference.

import { type Deny, deny } from '#core/decision.ts';
import type { AccessToken, RequestHeaders } from '#ext-authz/identity/access-token.ts';
import { judgeCertificate } from '#ext-authz/identity/client-certificate.ts';
import type { Presentation, VerifiedCredential } from '#ext-authz/identity/credential.ts';
import { PROOF_WINDOW_SECONDS, verifyProof } from '#ext-authz/identity/dpop-proof.ts';
import type { ReplayFinding, ReplayMemory } from '#ext-authz/identity/dpop-replay.ts';
import type { Metrics } from '#runtime/metrics.ts';

export type PresentedToken = AccessToken & Presentation & { readonly headers: RequestHeaders };

export type PossessionJudge = {
  /** @returns undefined if the caller may use this token here and in this way. */
  judge(credential: VerifiedCredential, presented: PresentedToken): Promise<Deny | undefined>;
};

/** Both sides of now: a proof from a clock that is fast can be used until its own time and the window have passed. */
const REMEMBERED_SECONDS = 2 * PROOF_WINDOW_SECONDS;

const findProof = (headers: RequestHeaders): string | Deny => {
  const [proof, ...others] = headers.get('dpop') ?? [];
  if (proof === undefined) return deny('dpop_proof_missing');
  return others.length === 0 ? proof : deny('dpop_proof_malformed', { log: { fault: 'several headers' } });
};

/**
 * What the binding of the server says of the scheme and the token, before any proof is looked at.
 * @returns undefined where a proof has to follow or is not needed.
 */
const judgeScheme = (
  { binding, confirmation }: VerifiedCredential,
  scheme: AccessToken['scheme'],
): Deny | undefined => {
  const isBound = confirmation?.kind === 'key';
  if (binding.dpop === undefined)
    return isBound || scheme === 'dpop' ? deny('token_binding_refused', { log: { scheme } }) : undefined;
  if (!isBound)
    return scheme === 'dpop' || binding.dpop === 'required'
      ? deny('token_not_bound', { log: { scheme } })
      : undefined;
  // A stolen token is what this would be (RFC 9449 §7.1).
  return scheme === 'bearer' ? deny('dpop_scheme_required') : undefined;
};

/**
 * What became of the proof. While it cannot be learnt whether another process has had it, a server that takes no token
 * without proof takes none: a stolen token is what it must not live with. One that takes bearer tokens as well lives with
 * them for as long as they last, and nobody is locked out for the sake of two minutes.
 */
const judgeReplay = (finding: ReplayFinding, { binding }: VerifiedCredential): Deny | undefined => {
  if (finding === 'fresh' || (finding === 'fresh_here' && binding.dpop !== 'required')) return undefined;
  return deny(finding === 'used' ? 'dpop_proof_replayed' : 'dpop_replay_unknown');
};

/** @param options.replays which proofs were used. */
export const createPossessionJudge = (options: {
  readonly replays: ReplayMemory;
  readonly metrics: Metrics;
}): PossessionJudge => {
  const proofs = options.metrics.counter('dpop_proofs_total', 'DPoP proofs by what became of them.', [
    'outcome',
  ]);
  /** What is known of the proof's use, if it is a proof of this key for this request. */
  const useProof = async (jkt: string, presented: PresentedToken): Promise<ReplayFinding | Deny> => {
    const found = findProof(presented.headers);
    if (typeof found !== 'string') return found;
    const { target, token, nowSeconds, tenant } = presented;
    const proof = await verifyProof(found, { ...target, token, jkt, nowSeconds });
    if (!proof.ok) return proof.error;
    const used = { tenantId: tenant.id, jkt, jti: proof.value.jti };
    return options.replays.use(used, { nowSeconds, windowSeconds: REMEMBERED_SECONDS });
  };
  return {
    judge: async (credential, presented) => {
      const unfit = judgeScheme(credential, presented.scheme);
      const { confirmation } = credential;
      if (unfit !== undefined || confirmation === undefined) return unfit;
      if (confirmation.kind === 'certificate')
        return judgeCertificate(presented.clientCertificate, confirmation.thumbprint);
      const used = await useProof(confirmation.jkt, presented);
      const refused = typeof used === 'string' ? judgeReplay(used, credential) : used;
      proofs.inc({ outcome: refused?.reason ?? (used === 'fresh' ? 'accepted' : 'accepted_here') });
      return refused;
    },
  };
};
