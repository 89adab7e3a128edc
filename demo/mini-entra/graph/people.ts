// People as Graph tells of them: groups, whether the account works and since when sign-ins count, who changed.

import { isJsonObject } from '#core/json.ts';
import type { DemoUser } from '#demo/directory.ts';
import {
  type GraphAsker,
  type GraphParts,
  type GraphReply,
  graphRefusal,
} from '#demo/mini-entra/graph/desk.ts';

const notFound = (oid: string): GraphReply =>
  graphRefusal(404, 'Request_ResourceNotFound', `Resource '${oid}' does not exist.`);

const asksForGroups = (text: string): boolean => {
  try {
    const body: unknown = JSON.parse(text);
    return isJsonObject(body) && typeof body['securityEnabledOnly'] === 'boolean';
  } catch {
    return false;
  }
};

/** `POST /users/{oid}/getMemberGroups`. */
export const memberGroups = (
  { world }: GraphParts,
  { directory }: GraphAsker,
  { oid, text }: { readonly oid: string; readonly text: string },
): GraphReply => {
  if (!asksForGroups(text)) return graphRefusal(400, 'Request_BadRequest', 'securityEnabledOnly is missing.');
  const user = world.findUserByOid(directory, oid);
  return user === undefined
    ? notFound(oid)
    : { status: 200, body: { value: user.groups.map(({ id }) => id) } };
};

/** Only what is asked for is told: `signInSessionsValidFromDateTime` comes by `$select` alone. */
const readPerson = ({ world }: GraphParts, user: DemoUser, select: string | null): object => {
  const members = {
    id: user.oid,
    accountEnabled: world.isEnabled(user),
    signInSessionsValidFromDateTime: new Date(world.sessionsValidFrom(user) * 1000).toISOString(),
  };
  const asked = new Set((select ?? 'id').split(','));
  return Object.fromEntries(Object.entries(members).filter(([name]) => asked.has(name)));
};

/** `GET /users/{oid}`. */
export const person = (
  parts: GraphParts,
  { directory }: GraphAsker,
  { oid, query }: { readonly oid: string; readonly query: URLSearchParams },
): GraphReply => {
  const user = parts.world.findUserByOid(directory, oid);
  return user === undefined
    ? notFound(oid)
    : { status: 200, body: readPerson(parts, user, query.get('$select')) };
};

/** People on one page of a delta query. */
const PAGE = 2;

/** `GET /users/delta`: from `$deltatoken=latest` on, a page at a time. A place is a number of the world's changes. */
export const delta = (
  { world, graph, graphUrl }: GraphParts,
  { directory }: GraphAsker,
  { query }: { readonly query: URLSearchParams },
): GraphReply => {
  const token = query.get('$deltatoken') ?? query.get('$skiptoken');
  const link = (kind: string, place: number): string => `${graphUrl()}/v1.0/users/delta?$${kind}=${place}`;
  const changes = world.changes(directory);
  if (token === 'latest')
    return { status: 200, body: { value: [], '@odata.deltaLink': link('deltatoken', changes.length) } };
  const place = Number(token);
  if (graph.forgetsPlaces || token === null || !Number.isInteger(place))
    return graphRefusal(410, 'syncStateNotFound', 'The sync state generation is not found.');
  const page = changes.slice(place, place + PAGE);
  const value = page.map((oid) =>
    world.findUserByOid(directory, oid) === undefined
      ? { id: oid, '@removed': { reason: 'changed' } }
      : { id: oid },
  );
  const end = place + page.length;
  return {
    status: 200,
    body:
      end < changes.length
        ? { value, '@odata.nextLink': link('skiptoken', end) }
        : { value, '@odata.deltaLink': link('deltatoken', end) },
  };
};
