// What one Envoy is to have against what it says it has, as the registry asks for it: counted by kind, and a page of the
// resources. Pure.

import {
  MAX_NODE_RESOURCES,
  type NodeConfig,
  type NodeConfigQuestion,
  type NodeConfigType,
  type NodeResource,
  type ResourceState,
} from '#core/feed-message.ts';
import { RESOURCE_KINDS, TYPE_URLS } from '#xds-server/resource-kind.ts';
import type { ClientStatus, ResourceStatus } from '#xds-server/stream/client-status.ts';

const stateOf = ({ configStatus }: ResourceStatus, { wantedSequence }: ClientStatus): ResourceState => {
  if (wantedSequence < 0) return 'unknown';
  if (configStatus === 'ERROR') return 'rejected';
  return configStatus === 'SYNCED' ? 'in_sync' : 'pending';
};

const resourceOf = (resource: ResourceStatus, client: ClientStatus): NodeResource => {
  const { kind, name, wantedVersion, held, error } = resource;
  return {
    kind,
    name,
    state: stateOf(resource, client),
    ...(wantedVersion === undefined ? {} : { wanted: { version: wantedVersion } }),
    ...(held === undefined ? {} : { held }),
    ...(error === undefined ? {} : { message: error.message }),
    ...(error?.tenantId === undefined ? {} : { tenant: error.tenantId }),
  };
};

const countKinds = (resources: readonly NodeResource[]): readonly NodeConfigType[] =>
  RESOURCE_KINDS.map((kind) => {
    const own = resources.filter((resource) => resource.kind === kind);
    const count = (state: ResourceState): number => own.filter((resource) => resource.state === state).length;
    return {
      kind,
      typeUrl: TYPE_URLS[kind],
      inSync: count('in_sync'),
      pending: count('pending'),
      rejected: count('rejected'),
      unknown: count('unknown'),
    };
  }).filter(({ inSync, pending, rejected, unknown }) => inSync + pending + rejected + unknown > 0);

const keyOf = ({ kind, name }: NodeResource): string => `${kind}/${name}`;

/**
 * The answer about the node that is asked about.
 * @param clients its streams, the latest last.
 */
export const nodeConfig = (
  clients: readonly ClientStatus[],
  { kind, state, after = '', limit }: NodeConfigQuestion,
): NodeConfig => {
  const client = clients.at(-1);
  if (client === undefined) return { kind: 'absent' };
  const all = client.resources.map((resource) => resourceOf(resource, client));
  const meant = all
    .filter((each) => (kind ?? each.kind) === each.kind && (state ?? each.state) === each.state)
    .filter((each) => keyOf(each) > after)
    .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const resources = meant.slice(0, Math.min(limit, MAX_NODE_RESOURCES));
  const last = resources.at(-1);
  return {
    kind: 'config',
    sequence: client.wantedSequence,
    acknowledgedSequence: client.acknowledgedSequence,
    types: countKinds(all),
    resources,
    ...(last === undefined || meant.length === resources.length ? {} : { next: keyOf(last) }),
  };
};
