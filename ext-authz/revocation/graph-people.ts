// What Microsoft Graph says of people: whether their account still works, and since when their sign-ins count. Asked in
// batches, each person a question of its own, so that one who is gone does not hide the others.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import { ok, type Result } from '#core/result.ts';
import type { Secret } from '#core/secret.ts';
import { type AskGraph, type GraphRefusal, graphCodeOf } from '#ext-authz/graph/ask-graph.ts';

/** Where to ask, and with what. */
export type GraphSession = {
  /** Origin, without a slash. */
  readonly graphUrl: string;
  readonly token: Secret;
  readonly nowSeconds: number;
};

/** `validFrom`, seconds since the epoch: tokens from before are of sign-ins that were ended. */
export type PersonFinding =
  | { readonly kind: 'enabled'; readonly validFrom?: number }
  | { readonly kind: 'disabled' }
  | { readonly kind: 'gone' }
  /** Nothing was learnt of this one. */
  | { readonly kind: 'unknown' };

/** As many as one batch may hold (Graph, JSON batching). */
export const MAX_BATCH = 20;

const SELECT = '$select=accountEnabled,signInSessionsValidFromDateTime';

const findingFrom = (status: number, body: JsonObject | undefined): PersonFinding => {
  if (status === 404 && graphCodeOf(body) === 'Request_ResourceNotFound') return { kind: 'gone' };
  if (status !== 200 || typeof body?.['accountEnabled'] !== 'boolean') return { kind: 'unknown' };
  if (!body['accountEnabled']) return { kind: 'disabled' };
  const { signInSessionsValidFromDateTime: validFrom } = body;
  if (validFrom === undefined || validFrom === null) return { kind: 'enabled' };
  const milliseconds = typeof validFrom === 'string' ? Date.parse(validFrom) : Number.NaN;
  return Number.isNaN(milliseconds)
    ? { kind: 'unknown' }
    : { kind: 'enabled', validFrom: Math.floor(milliseconds / 1000) };
};

const readResponse = (
  response: Json,
  findings: Map<string, PersonFinding>,
  oids: readonly string[],
): void => {
  if (!isJsonObject(response)) return;
  const { id, status, body } = response;
  const oid = oids[Number(id)];
  if (oid === undefined || typeof status !== 'number') return;
  findings.set(oid, findingFrom(status, isJsonObject(body) ? body : undefined));
};

/**
 * Looks at people of one directory.
 * @param oids object ids, GUIDs, at most `MAX_BATCH`.
 * @returns a finding for each that was answered for.
 */
export const lookAtPeople = async (
  ask: AskGraph,
  session: GraphSession,
  oids: readonly string[],
): Promise<Result<ReadonlyMap<string, PersonFinding>, GraphRefusal>> => {
  const requests = oids.map((oid, index) => ({
    id: String(index),
    method: 'GET',
    url: `/users/${oid}?${SELECT}`,
  }));
  const answered = await ask({ ...session, method: 'POST', path: '/v1.0/$batch', body: { requests } });
  if (!answered.ok) return answered;
  const { responses } = answered.value;
  const findings = new Map<string, PersonFinding>();
  for (const response of Array.isArray(responses) ? responses : []) readResponse(response, findings, oids);
  return ok(findings);
};
