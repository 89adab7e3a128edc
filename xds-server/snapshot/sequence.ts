// Make before break: the order in which kinds of resource are told. What is referred to comes before what refers to
// it, and goes after it. Each step waits until Envoy has taken the one before.

import type { ResourceKind } from '#xds-server/resource-kind.ts';

export const SEQUENCE: readonly { readonly kind: ResourceKind; readonly reason: string }[] = [
  { kind: 'cluster', reason: 'routes lead to clusters; one that leads to an unknown cluster answers 503' },
  { kind: 'secret', reason: 'Envoy asks for those its clusters name, and its clusters wait for them' },
  { kind: 'endpoint', reason: 'a cluster is used only once its endpoints have arrived' },
  { kind: 'listener', reason: 'its filters refer to clusters of the bootstrap only' },
  {
    kind: 'scope',
    reason: 'Envoy asks for the routes a scope names, and would not for routes without a scope',
  },
  { kind: 'route', reason: 'from here on calls reach what came before' },
];

/** Kinds in the order of additions. */
export const ADDITIONS: readonly ResourceKind[] = SEQUENCE.map(({ kind }) => kind);

/**
 * Kinds in the order of removals, which begin only when no addition is outstanding. What names another goes before it:
 * Envoy gives up routes with their scope and endpoints with their cluster, and need not be told of them then.
 */
export const REMOVALS: readonly ResourceKind[] = [
  'scope',
  'route',
  'listener',
  'cluster',
  'endpoint',
  'secret',
];

/**
 * How additions of a kind share responses. Envoy takes the good clusters and endpoints of a response with a bad one in
 * it, but loses good routes beside bad ones, so each tenant's scopes and routes travel by themselves.
 * So do its secrets: what is said of a response with them is said to their owner alone.
 */
export const GROUPING: Readonly<Record<ResourceKind, 'together' | 'tenant'>> = {
  cluster: 'together',
  secret: 'tenant',
  endpoint: 'together',
  listener: 'tenant',
  scope: 'tenant',
  route: 'tenant',
};
