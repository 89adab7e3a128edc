// Nodes as Envoys with our bootstrap write them, for clients that are no Envoys.

import type { ProtoValue, WireNode } from '#xds-server/nodes/claim.ts';

const text = (stringValue: string): ProtoValue => ({ stringValue });

export const wireNode = (
  id: string,
  claim: { readonly group: string; readonly servers?: readonly string[]; readonly region?: string },
): WireNode => {
  const { group, servers = [], region } = claim;
  const fields = {
    group: text(group),
    servers: { listValue: { values: servers.map(text) } },
    ...(region === undefined ? {} : { region: text(region) }),
  };
  return { id, metadata: { fields: { mcpgw: { structValue: { fields } } } } };
};
