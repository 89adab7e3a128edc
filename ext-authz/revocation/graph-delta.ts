// Who of a directory changed since the last look, as Graph's delta query tells it. What changed is not believed here: it
// only says at whom to look.

import { isJsonObject, type JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { AskGraph, GraphRefusal } from '#ext-authz/graph/ask-graph.ts';
import type { GraphSession } from '#ext-authz/revocation/graph-people.ts';

export type Sweep = {
  /** Object ids of people who were changed, deleted or restored. */
  readonly changed: ReadonlySet<string>;
  /** Where the next sweep goes on: a path of the same Graph. */
  readonly next: string;
};

export type SweepFault =
  | GraphRefusal
  /** Graph has forgotten where we were: the next sweep begins anew. */
  | { readonly kind: 'expired' };

/** Begins now: what was before is for looking at people one by one, not for reading a whole directory. */
const FIRST = '/v1.0/users/delta?$select=accountEnabled&$deltatoken=latest';

/** A page has about 100 people; more than this in one sweep is a migration, and there will be a next sweep. */
const MAX_PAGES = 200;

const unreadable: GraphRefusal = { kind: 'unavailable', detail: 'the answer cannot be read' };

/** A link of an answer as a path; one that leads to another origin is followed by nobody. */
const pathOf = (body: JsonObject, member: string, graphUrl: string): string | undefined => {
  const link = body[member];
  return typeof link === 'string' && link.startsWith(`${graphUrl}/`)
    ? link.slice(graphUrl.length)
    : undefined;
};

const noteChanged = (body: JsonObject, changed: Set<string>): void => {
  for (const person of Array.isArray(body['value']) ? body['value'] : [])
    if (isJsonObject(person) && typeof person['id'] === 'string') changed.add(person['id']);
};

const faultFrom = (refusal: GraphRefusal): SweepFault =>
  // 410, or 400 with the code: both are met (Graph, delta query overview, "synchronization reset").
  refusal.kind === 'refused' && (refusal.status === 410 || /^(?:resync|syncState)/i.test(refusal.code))
    ? { kind: 'expired' }
    : refusal;

/** @param from where the last sweep ended; absent: from now on. */
export const sweepDirectory = async (
  ask: AskGraph,
  session: GraphSession,
  from: string = FIRST,
): Promise<Result<Sweep, SweepFault>> => {
  const changed = new Set<string>();
  let path = from;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const answered = await ask({ ...session, path });
    if (!answered.ok) return err(faultFrom(answered.error));
    noteChanged(answered.value, changed);
    const last = pathOf(answered.value, '@odata.deltaLink', session.graphUrl);
    if (last !== undefined) return ok({ changed, next: last });
    const following = pathOf(answered.value, '@odata.nextLink', session.graphUrl);
    if (following === undefined) return err(unreadable);
    path = following;
  }
  return ok({ changed, next: path });
};
