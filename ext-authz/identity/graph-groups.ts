// The groups of one person as Microsoft Graph knows them: one request to the configured origin, the whole list or none of
// it. The address that a token gives for its groups is never used: it names a service that is gone.

import type { JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Secret } from '#core/secret.ts';
import type { AskGraph, GraphRefusal } from '#ext-authz/graph/ask-graph.ts';
import { isGuid } from '#ext-authz/identity/issuers.ts';

export type GroupsQuestion = {
  /** Origin, without a slash. */
  readonly graphUrl: string;
  /** Object id of a person in the directory that issued `token`; a GUID. */
  readonly oid: string;
  /** An application's own, for Graph. */
  readonly token: Secret;
  readonly nowSeconds: number;
};

export type GraphFault =
  /** Not now: no answer, throttled, or an answer that cannot be read. */
  | { readonly kind: 'unavailable'; readonly detail: string; readonly retryAfterSeconds?: number }
  /** Not to this application, or not in this way. */
  | { readonly kind: 'refused'; readonly detail: string }
  /** Nobody of that id is there any more. */
  | { readonly kind: 'nobody' }
  | { readonly kind: 'too-many' };

export type GraphGroups = (question: GroupsQuestion) => Promise<Result<readonly string[], GraphFault>>;

/** As many as a token may name (claim-values.ts): every one of them goes into the policy's input. */
const MAX_GROUPS = 2_000;

const groupsFrom = (body: JsonObject): Result<readonly string[], GraphFault> => {
  const { value } = body;
  if (!Array.isArray(value) || !value.every(isGuid))
    return err({ kind: 'unavailable', detail: 'the answer cannot be read' });
  // A list that goes on elsewhere is not the list.
  const isCut = body['@odata.nextLink'] !== undefined;
  return isCut || value.length > MAX_GROUPS ? err({ kind: 'too-many' }) : ok(value);
};

const faultFrom = (refusal: GraphRefusal): GraphFault => {
  if (refusal.kind === 'unavailable') return refusal;
  const { status, code, detail } = refusal;
  if (code === 'Directory_ResultSizeLimitExceeded') return { kind: 'too-many' };
  // Any other 404 is that of a wrong address.
  if (status === 404 && code === 'Request_ResourceNotFound') return { kind: 'nobody' };
  return { kind: 'refused', detail };
};

/** `getMemberGroups` follows groups in groups, as the claim does, and with `securityEnabledOnly` names what Entra's claim names by default. */
export const createGraphGroups =
  (ask: AskGraph): GraphGroups =>
  async ({ oid, ...access }) => {
    const path = `/v1.0/users/${encodeURIComponent(oid)}/getMemberGroups`;
    const answered = await ask({ ...access, method: 'POST', path, body: { securityEnabledOnly: true } });
    return answered.ok ? groupsFrom(answered.value) : err(faultFrom(answered.error));
  };
