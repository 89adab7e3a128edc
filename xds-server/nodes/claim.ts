// What an Envoy says of itself in the metadata of its node: our bootstrap writes it, and whoever can reach us could.
// Read strictly, believed by authorise.ts only. Pure.

import { err, ok, type Result } from '#core/result.ts';
import { parseSelector, type ServerSelector } from '#xds-server/nodes/selector.ts';

export type NodeClaim = {
  readonly nodeId: string;
  readonly group: 'edge' | 'sidecar';
  /** Servers a sidecar stands before; none for an edge. */
  readonly servers: readonly ServerSelector[];
  readonly region?: string;
  /** Each with the first call that needs it. Absent: all of them at once. */
  readonly clusters?: 'on-demand';
  /** Of the Envoy: `1.40.0`. Nothing is decided by it. */
  readonly envoyVersion?: string;
};

/** google.protobuf.Value and Struct as the gRPC library gives them. */
export type ProtoValue = {
  readonly stringValue?: string;
  readonly listValue?: { readonly values: readonly ProtoValue[] };
  readonly structValue?: ProtoStruct;
};
export type ProtoStruct = { readonly fields: Readonly<Record<string, ProtoValue>> };

/** envoy.config.core.v3.Node, cut to what is used. */
export type WireNode = {
  readonly id: string;
  readonly metadata?: ProtoStruct | null;
  readonly user_agent_build_version?: {
    readonly version: {
      readonly major_number: number;
      readonly minor_number: number;
      readonly patch: number;
    } | null;
  } | null;
};

const MAX_ID = 256;
const MAX_SERVERS = 256;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

const readServers = (value: ProtoValue | undefined): Result<readonly ServerSelector[], string> => {
  const values = value?.listValue?.values ?? [];
  if (values.length > MAX_SERVERS) return err(`more than ${MAX_SERVERS} servers`);
  const servers: ServerSelector[] = [];
  for (const { stringValue = '' } of values) {
    const selector = parseSelector(stringValue);
    if (!selector.ok) return err(`servers: ${selector.error}`);
    servers.push(selector.value);
  }
  return ok(servers);
};

const judge = (claim: NodeClaim): Result<NodeClaim, string> => {
  if (claim.group === 'sidecar' && claim.servers.length === 0)
    return err('a sidecar names the servers it stands before');
  if (claim.group === 'edge' && claim.servers.length > 0)
    return err('an edge names no servers; a sidecar does');
  return ok(claim);
};

const readWishes = (
  fields: ProtoStruct['fields'],
): Result<Pick<NodeClaim, 'region' | 'clusters'>, string> => {
  const region = fields['region']?.stringValue;
  if (region !== undefined && !NAME.test(region)) return err('the region is not a name');
  const clusters = fields['clusters']?.stringValue;
  if (clusters !== undefined && clusters !== 'on-demand')
    return err('clusters come on-demand, or all at once');
  return ok({ ...(region === undefined ? {} : { region }), ...(clusters === undefined ? {} : { clusters }) });
};

const versionOf = ({ user_agent_build_version: build }: WireNode): Pick<NodeClaim, 'envoyVersion'> => {
  if (build?.version == null) return {};
  const { major_number, minor_number, patch } = build.version;
  return { envoyVersion: `${major_number}.${minor_number}.${patch}` };
};

/** Without `mcpgw` in its metadata a node is an edge. The error is a sentence for whoever set the node up. */
export const readClaim = (node: WireNode): Result<NodeClaim, string> => {
  const { id, metadata } = node;
  if (id === '' || id.length > MAX_ID) return err(`a node has an id of 1 to ${MAX_ID} characters`);
  const version = versionOf(node);
  const said = metadata?.fields['mcpgw'];
  if (said === undefined) return ok({ nodeId: id, group: 'edge', servers: [], ...version });
  const fields = said.structValue?.fields;
  if (fields === undefined) return err('mcpgw in the metadata is no object');
  const group = fields['group']?.stringValue;
  if (group !== 'edge' && group !== 'sidecar') return err('the group is edge or sidecar');
  const servers = readServers(fields['servers']);
  if (!servers.ok) return servers;
  const wishes = readWishes(fields);
  const claim = { nodeId: id, group, servers: servers.value, ...version } as const;
  return wishes.ok ? judge({ ...claim, ...wishes.value }) : wishes;
};
