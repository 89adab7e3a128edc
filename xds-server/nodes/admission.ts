// The door of the ADS streams: who called, what the node says it is, and whether that is so.

import type { CertificateNames } from '#core/certificate-names.ts';
import { listNames } from '#core/certificate-names.ts';
import { err, type Result } from '#core/result.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { type AdmittedNode, authoriseNode, mayConcern, type NodePeer } from '#xds-server/nodes/authorise.ts';
import { readClaim, type WireNode } from '#xds-server/nodes/claim.ts';
import type { NodesFile } from '#xds-server/nodes/nodes-file.ts';

export type Admission = {
  /** Judges a node anew; the table may have changed. The error is a sentence for whoever set the node up. */
  admit(node: WireNode | null, names: CertificateNames | undefined): Result<AdmittedNode, string>;
  /** Whether whoever called may say anything of a server. */
  mayReport(
    names: CertificateNames | undefined,
    server: { readonly tenantId: string; readonly serverId: string },
  ): boolean;
  /** Calls `listener` when nodes that were admitted are to be judged again. */
  onChange(listener: () => void): void;
};

/** @param options.isSecure whether callers have certificates; one without is a stranger then. */
export const createAdmission = (options: {
  readonly nodes: NodesFile;
  readonly isSecure: boolean;
  readonly logger: Logger;
  readonly metrics: Metrics;
}): Admission => {
  const { nodes, isSecure, logger } = options;
  const refusals = options.metrics.counter(
    'xds_refused_nodes_total',
    'Nodes that were not what they claimed.',
  );
  const judge = (node: WireNode | null, peer: NodePeer | undefined): Result<AdmittedNode, string> => {
    if (peer === undefined) return err('the connection has no certificate');
    const claim = readClaim(node ?? { id: '' });
    return claim.ok ? authoriseNode(claim.value, peer, nodes.current()) : claim;
  };
  return {
    admit: (node, names) => {
      const admitted = judge(node, isSecure ? names : 'local');
      if (admitted.ok) return admitted;
      refusals.inc();
      const facts = {
        nodeId: node?.id.slice(0, 256) ?? '',
        names: names === undefined ? [] : listNames(names),
      };
      logger.warn({ ...facts, why: admitted.error }, 'node refused');
      return err(`this node is refused: ${admitted.error}`);
    },
    mayReport: (names, server) => {
      const peer = isSecure ? names : 'local';
      return peer !== undefined && mayConcern(peer, nodes.current(), server);
    },
    onChange: nodes.onChange,
  };
};
