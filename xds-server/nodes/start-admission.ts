// The door as it is configured: where nodes come with certificates there is a table that says who they are.

import { GatewayError } from '#core/gateway-error.ts';
import type { Address } from '#runtime/address.ts';
import type { Lifecycle } from '#runtime/lifecycle.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { type Admission, createAdmission } from '#xds-server/nodes/admission.ts';
import { watchNodesFile } from '#xds-server/nodes/nodes-file.ts';

/**
 * @param address where nodes connect.
 * @param nodesFile path of the table; empty for none.
 * @throws GatewayError `config_invalid` if the table is faulty, or missing where it is needed.
 */
export const startAdmission = async (
  { address, nodesFile }: { readonly address: Address; readonly nodesFile: string },
  tools: { readonly logger: Logger; readonly metrics: Metrics; readonly lifecycle: Lifecycle },
): Promise<Admission> => {
  const isSecure = address.kind === 'tcp' && address.peers !== undefined;
  if (isSecure && nodesFile === '')
    throw new GatewayError(
      'config_invalid',
      'NODES_FILE: is required where Envoys come with certificates: it says which may be which node',
    );
  const nodes = await watchNodesFile(nodesFile, tools);
  tools.lifecycle.onStop('table of nodes', () => nodes.stop());
  return createAdmission({ nodes, isSecure, ...tools });
};
