// Brings a tenant back to what it was, as far as going back is safe: what grants and serves goes back, what protects
// stays. Kill switches, issuers and published versions are as they are now, whatever they were.

import type { TrustedIssuer } from '#core/issuer.ts';
import { err } from '#core/result.ts';
import { isSameJson } from '#core/same-json.ts';
import { servedNames, servedVersions } from '#core/served-versions.ts';
import { findVersion, type McpServer, type ServerVersion } from '#core/server.ts';
import { findIssuer, findServer, type Tenant } from '#core/tenant.ts';
import { BUNDLE_MEMBERS } from '#core/tenant-policy.ts';
import type { VersionOfServer } from '#registry/approval/review.ts';
import { newlyServed } from '#registry/approval/serve.ts';
import type { CheckUrl, Fault, Outcome } from '#registry/commands/outcome.ts';
import { conflict } from '#registry/commands/outcome.ts';
import { issuerName, settingsOf, versionName } from '#registry/commands/resources.ts';
import { settle } from '#registry/commands/settle.ts';
import { accessChange } from '#registry/revisions/access-change.ts';
import { keepWithdrawn } from '#registry/revisions/restored-traffic.ts';

/** Faults of versions that would be served again without being approved. */
export type JudgeServed = (after: Tenant, served: readonly VersionOfServer[]) => readonly Fault[];

/** What a restore is held against beside the tenant. */
export type RestoreRules = { readonly checkUrl: CheckUrl; readonly judgeServed: JudgeServed };

/** A revision of the tenant; `tenant` is null where the revision removed it. */
export type RestoreSource = { readonly number: number; readonly tenant: Tenant | null };

const byName = (a: ServerVersion, b: ServerVersion): number => (a.version < b.version ? -1 : 1);

const byId = (a: McpServer, b: McpServer): number => (a.id < b.id ? -1 : 1);

/** All that were ever published: what was published never vanishes, and a name never means something else. */
const mergeVersions = (past: McpServer, current: McpServer | undefined): readonly ServerVersion[] => {
  if (current === undefined) return past.versions;
  const missing = past.versions.filter(({ version }) => findVersion(current, version) === undefined);
  return [...current.versions, ...missing].toSorted(byName);
};

/** A server that was removed comes back switched off: removing it was the stronger switch. */
const restoreServer = (past: McpServer, current: McpServer | undefined): McpServer => ({
  ...keepWithdrawn(past, current),
  enabled: current?.enabled ?? false,
  versions: mergeVersions(past, current),
});

/** Servers made since stay, with their published versions; nobody is granted them any more. */
const restoreServers = (present: Tenant, past: Tenant): readonly McpServer[] => {
  const since = present.servers.filter(({ id }) => findServer(past, id) === undefined);
  return [
    ...past.servers.map((server) => restoreServer(server, findServer(present, server.id))),
    ...since,
  ].toSorted(byId);
};

/**
 * The bundles and the remote policy of then, with who may sign one as it is now: a key that was withdrawn is withdrawn, and a signature that is
 * asked for now is asked for after it.
 */
const restorePolicy = (present: Tenant, past: Tenant): Pick<Tenant, 'policy'> => {
  const { keys = [], requireSignature = false } = present.policy ?? {};
  const isAsked = requireSignature || past.policy?.requireSignature === true;
  if (present.policy === undefined && past.policy === undefined) return {};
  const named = BUNDLE_MEMBERS.map((member) => [member, past.policy?.[member]]);
  const bundles = Object.fromEntries(named.filter(([, reference]) => reference !== undefined));
  const remote = past.policy?.remote;
  return {
    policy: { keys, requireSignature: isAsked, ...bundles, ...(remote === undefined ? {} : { remote }) },
  };
};

/**
 * The present with the former settings in place of its own: a setting made since is gone, what it owns is not. Four
 * eyes that are asked for now are asked for after it: one admin alone could else go back to where he may approve himself.
 */
const restoreTenantState = (present: Tenant, past: Tenant): Tenant => {
  const settings = Object.keys(settingsOf(present));
  const owned = Object.fromEntries(Object.entries(present).filter(([field]) => !settings.includes(field)));
  return {
    ...(owned as Omit<Tenant, keyof ReturnType<typeof settingsOf>>),
    ...settingsOf(past),
    fourEyes: present.fourEyes || past.fourEyes,
    servers: restoreServers(present, past),
    grants: past.grants,
    ...restorePolicy(present, past),
  };
};

/** A server removed and made again may have published another thing under the same name. */
const judgeVersions = (present: Tenant, past: Tenant): readonly Fault[] =>
  past.servers.flatMap((server) => {
    const current = findServer(present, server.id);
    return server.versions
      .filter((version) => {
        const published = current === undefined ? undefined : findVersion(current, version.version);
        return published !== undefined && !isSameJson(published, version);
      })
      .map(({ version }) => ({
        pointer: '',
        message: `${versionName(server.id, version)}: published anew since, with other content`,
      }));
  });

/** Versions that would be served again are judged like any activation: egress rules may have become stricter. */
const judgeEgress = (present: Tenant, after: Tenant, checkUrl: CheckUrl): readonly Fault[] =>
  after.servers.flatMap((server) => {
    const current = findServer(present, server.id);
    const known = current === undefined ? [] : servedNames(current);
    const again = servedVersions(server).filter(({ version }) => !known.includes(version));
    return again.flatMap(({ version, endpoints }) =>
      endpoints.flatMap((endpoint) => {
        const checked = checkUrl(endpoint);
        return checked.ok
          ? []
          : [{ pointer: '', message: `${versionName(server.id, version)}: ${checked.error}` }];
      }),
    );
  });

/** What is not approved is not served by going back either: approvals stay where they are. */
const judgeApprovals = (present: Tenant, after: Tenant, judge: JudgeServed): readonly Fault[] => {
  const served = newlyServed(present, after);
  return served.length === 0 ? [] : judge(after, served);
};

const isSameIssuer = (past: TrustedIssuer, current: TrustedIssuer): boolean =>
  past.kind === current.kind &&
  past.issuer === current.issuer &&
  past.relation === current.relation &&
  (past.directoryTenants.length === 0 ||
    past.directoryTenants.some((directory) => current.directoryTenants.includes(directory)));

/** Under the id of an issuer of then there may be another one now, and its people would get what others had. */
const judgeIssuers = (present: Tenant, past: Tenant, after: Tenant): readonly Fault[] => {
  const gaining = accessChange(present, after).gained.flatMap(({ subjects }) =>
    subjects.map(({ issuerId }) => issuerId),
  );
  return [...new Set(gaining)].flatMap((id) => {
    const [old, current] = [findIssuer(past, id), findIssuer(present, id)];
    if (old === undefined || current === undefined || isSameIssuer(old, current)) return [];
    return [
      {
        pointer: '',
        message: `${issuerName(id)}: replaced since, and its callers would be given what others had`,
      },
    ];
  });
};

/**
 * The tenant as it stood at `source`, over what it is now.
 * @returns the outcome; or a conflict that names everything missing or in the way.
 */
export const restoreRevision = (present: Tenant, source: RestoreSource, rules: RestoreRules): Outcome => {
  const { number, tenant: past } = source;
  if (past === null)
    return err(conflict(`revision ${number} removed the tenant: there is nothing to bring back`));
  const after = restoreTenantState(present, past);
  const settled = settle({ before: present, after, resource: `revisions/${number}` });
  const faults = [
    ...judgeVersions(present, past),
    ...judgeEgress(present, after, rules.checkUrl),
    ...judgeApprovals(present, after, rules.judgeServed),
    ...judgeIssuers(present, past, after),
    ...(settled.ok ? [] : settled.error.faults),
  ];
  return faults.length === 0 ? settled : err({ kind: 'conflict', faults });
};
