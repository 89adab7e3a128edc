// A tenant's resources must agree with each other before any Envoy sees them: Envoy takes a route to a cluster that
// does not exist without complaint and answers 503 from then on.

import { isJsonObject, type Json } from '#core/json.ts';
import type { TypedMessage } from '#protos/typed-struct.ts';
import type { TenantTranslation } from '#xds-server/translate/tenant.ts';

const nameOf = (message: TypedMessage): string => String(message['name']);

const findRepeated = (names: readonly string[]): string | undefined =>
  names.find((name, index) => names.indexOf(name) !== index);

/** Every cluster a RouteConfiguration forwards to. */
const routedClusters = (value: Json | undefined): string[] => {
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap(routedClusters);
  if (!isJsonObject(value)) return [];
  const route = value['route'];
  const own = isJsonObject(route) && typeof route['cluster'] === 'string' ? [route['cluster']] : [];
  return [...own, ...routedClusters(value['virtual_hosts']), ...routedClusters(value['routes'])];
};

/** What contradicts itself, as a sentence; undefined if nothing does. */
export const findInconsistency = (translation: TenantTranslation): string | undefined => {
  const clusters = translation.clusters.map(nameOf);
  const scopes = translation.scopes.map(nameOf);
  const repeated = findRepeated(clusters) ?? findRepeated(scopes);
  if (repeated !== undefined) return `two resources are named ${repeated}`;
  const unaddressed = clusters.find((name) => !translation.upstreams.has(name));
  if (unaddressed !== undefined) return `cluster ${unaddressed} has no endpoints`;
  const known = new Set(clusters);
  const missing = routedClusters(translation.routes).find((name) => !known.has(name));
  if (missing !== undefined) return `a route leads to cluster ${missing}, which does not exist`;
  const routes = nameOf(translation.routes);
  const stray = translation.scopes.find((scope) => scope['route_configuration_name'] !== routes);
  return stray === undefined ? undefined : `scope ${nameOf(stray)} names other routes than the tenant's`;
};
