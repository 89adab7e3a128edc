// Whether a node is what it says it is, and what it is to see then. On a Unix socket its word is the operator's; a
// certificate is believed for what the table says of it and no more. Pure.

import type { CertificateNames } from '#core/certificate-names.ts';
import { err, ok, type Result } from '#core/result.ts';
import { findSan } from '#core/san-pattern.ts';
import type { NodeClaim } from '#xds-server/nodes/claim.ts';
import type { NodeRule, NodesTable } from '#xds-server/nodes/nodes-table.ts';
import { formatSelector, isCovered } from '#xds-server/nodes/selector.ts';
import { type NodeView, onDemandView, viewOf } from '#xds-server/nodes/view.ts';

/** `local`: whoever could open a socket of ours. */
export type NodePeer = 'local' | CertificateNames;

export type AdmittedNode = {
  readonly claim: NodeClaim;
  /** Name of its certificate by which it was admitted; absent on a Unix socket. */
  readonly san?: string;
  readonly view: NodeView;
};

const admit = (
  claim: NodeClaim,
  { regions }: NodesTable,
  rule?: { readonly limits: NodeRule; readonly san: string },
): Result<AdmittedNode, string> => {
  const region = claim.region === undefined ? [{}] : regions.get(claim.region);
  if (region === undefined) return err(`there is no region ${claim.region}`);
  const servers = claim.group === 'sidecar' ? claim.servers : [{}];
  const seen = viewOf(servers, region, rule?.limits.servers ?? [{}]);
  const view = claim.clusters === 'on-demand' ? onDemandView(seen) : seen;
  return ok({ claim, view, ...(rule === undefined ? {} : { san: rule.san }) });
};

const isIdOf = (pattern: string, id: string): boolean =>
  pattern.endsWith('*') ? id.startsWith(pattern.slice(0, -1)) : id === pattern;

/** What a rule has against the claim; undefined for nothing. */
const findObjection = (rule: NodeRule, claim: NodeClaim): string | undefined => {
  if (rule.group !== claim.group) return `it may not be an ${claim.group} node`.replace('an s', 'a s');
  if (rule.id !== undefined && !isIdOf(rule.id, claim.nodeId))
    return `it may not have the id ${claim.nodeId}`;
  if (rule.regions !== undefined && !rule.regions.includes(claim.region ?? ''))
    return claim.region === undefined ? 'it must name its region' : `it may not be in region ${claim.region}`;
  const foreign = claim.servers.find((server) => !isCovered(rule.servers, server));
  return foreign === undefined ? undefined : `it may not stand before ${formatSelector(foreign)}`;
};

/** Whether a certificate may see a server as any node it may be: bounds what it can report, whatever node it names. */
export const mayConcern = (
  peer: NodePeer,
  { rules }: NodesTable,
  server: { readonly tenantId: string; readonly serverId: string },
): boolean =>
  peer === 'local' ||
  rules.some(({ san, servers }) => findSan([san], peer) !== undefined && isCovered(servers, server));

/** The node as it is to be served, or why it is not, as a sentence for whoever set it up. */
export const authoriseNode = (
  claim: NodeClaim,
  peer: NodePeer,
  table: NodesTable,
): Result<AdmittedNode, string> => {
  if (peer === 'local') return admit(claim, table);
  let objection = 'no node has a name of this certificate';
  for (const rule of table.rules) {
    const san = findSan([rule.san], peer);
    if (san === undefined) continue;
    const found = findObjection(rule, claim);
    if (found === undefined) return admit(claim, table, { limits: rule, san });
    objection = found;
  }
  return err(objection);
};
