// Which directories a snapshot wants watched: those of every issuer that names an application for it. Pure.

import type { TrustedIssuer } from '#core/issuer.ts';
import type { GraphSignals } from '#core/issuer-signals.ts';
import type { Snapshot } from '#core/snapshot.ts';
import type { Tenant } from '#core/tenant.ts';
import { type GraphAccess, graphAccess } from '#ext-authz/graph/graph-access.ts';

export type GraphDirectory = {
  readonly tenant: Tenant;
  readonly issuer: TrustedIssuer;
  /** A GUID, in lower case. */
  readonly tid: string;
  readonly signals: GraphSignals;
  readonly access: GraphAccess;
};

/** Tenant, issuer and directory: people of one are never those of another. */
export const directoryKey = (tenantId: string, issuerId: string, tid: string): string =>
  JSON.stringify([tenantId, issuerId, tid]);

/** What a channel is built from; another text needs another channel. */
export const settingsOf = ({ issuer, signals, access }: GraphDirectory): string =>
  JSON.stringify([issuer.issuer, signals, access]);

const directoriesOf = (tenant: Tenant, issuer: TrustedIssuer): readonly GraphDirectory[] => {
  const signals = issuer.signals?.graph;
  if (signals === undefined || !issuer.enabled) return [];
  return issuer.directoryTenants.flatMap((directory) => {
    const tid = directory.toLowerCase();
    const access = graphAccess(issuer, signals, tid);
    return access === undefined ? [] : [{ tenant, issuer, tid, signals, access }];
  });
};

/** By `directoryKey`. */
export const graphDirectories = ({ tenants }: Snapshot): ReadonlyMap<string, GraphDirectory> =>
  new Map(
    tenants
      .flatMap((tenant) => tenant.issuers.flatMap((issuer) => directoriesOf(tenant, issuer)))
      .map((directory) => [directoryKey(directory.tenant.id, directory.issuer.id, directory.tid), directory]),
  );
