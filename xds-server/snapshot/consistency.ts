// A tenant's resources must agree with each other before any Envoy sees them: Envoy takes a route to a cluster that
// does not exist without complaint and answers 503 from then on.

import { isJsonObject, type JsonObject } from '#core/json.ts';
import type { TypedMessage } from '#protos/typed-struct.ts';
import type { ServerTranslation } from '#xds-server/translate/server.ts';

const nameOf = (message: TypedMessage): string => String(message['name']);

/** The cluster a route forwards to. */
const routedCluster = ({ route }: JsonObject): string | undefined =>
  isJsonObject(route) && typeof route['cluster'] === 'string' ? route['cluster'] : undefined;

/**
 * What of a server contradicts itself, as a sentence; undefined if nothing does.
 * @param routesName of its tenant's RouteConfiguration.
 */
export const findInconsistency = (translation: ServerTranslation, routesName: string): string | undefined => {
  const clusters = new Set(translation.clusters.map(nameOf));
  const unaddressed = [...clusters].find((name) => !translation.upstreams.has(name));
  if (unaddressed !== undefined) return `cluster ${unaddressed} has no endpoints`;
  const missing = translation.routes
    .map(routedCluster)
    .find((name) => name !== undefined && !clusters.has(name));
  if (missing !== undefined) return `a route leads to cluster ${missing}, which does not exist`;
  const stray = translation.scopes.find((scope) => scope['route_configuration_name'] !== routesName);
  return stray === undefined ? undefined : `scope ${nameOf(stray)} names other routes than the tenant's`;
};

/** A name that two resources of one kind bear, as a sentence; undefined if there is none. */
export const findRepeated = (names: Iterable<string>): string | undefined => {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) return `two resources are named ${name}`;
    seen.add(name);
  }
  return undefined;
};
