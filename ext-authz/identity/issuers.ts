// From the `iss` a token names to the issuer the tenant trusts, by exact comparison. Entra's `{tenantid}` is expanded
// for each directory on the list beforehand: no address is ever built from what a token says. Pure but for a memo.

import { type Deny, deny } from '#core/decision.ts';
import { DIRECTORY_PLACEHOLDER, type TrustedIssuer } from '#core/issuer.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';

export type AcceptedIssuer = {
  readonly issuer: TrustedIssuer;
  /** The `iss` value tokens must carry, in full. */
  readonly iss: string;
  /** Directories (`tid`) whose tokens this `iss` may carry; empty for issuers that have none. */
  readonly directories: readonly string[];
};

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** True for a GUID in the lower-case form Entra writes. */
export const isGuid = (value: unknown): value is string => typeof value === 'string' && GUID.test(value);

/** `template` with `{tenantid}` replaced by a directory's id. */
export const expandDirectory = (template: string, tid: string): string =>
  template.replaceAll(DIRECTORY_PLACEHOLDER, tid);

const acceptedFormsOf = (issuer: TrustedIssuer): AcceptedIssuer[] => {
  const directories = issuer.directoryTenants.map((tid) => tid.toLowerCase());
  if (issuer.kind !== 'entra') return [{ issuer, iss: issuer.issuer, directories: [] }];
  if (!issuer.issuer.includes(DIRECTORY_PLACEHOLDER)) return [{ issuer, iss: issuer.issuer, directories }];
  return directories.map((tid) => ({
    issuer,
    iss: expandDirectory(issuer.issuer, tid),
    directories: [tid],
  }));
};

type IssuerIndex = ReadonlyMap<string, readonly AcceptedIssuer[]>;

// Snapshots are immutable: the list of issuers is a safe key for what was computed from it.
const indexes = new WeakMap<readonly TrustedIssuer[], IssuerIndex>();

const indexOf = (issuers: readonly TrustedIssuer[]): IssuerIndex => {
  const known = indexes.get(issuers);
  if (known !== undefined) return known;
  const accepted = issuers.filter((issuer) => issuer.enabled).flatMap(acceptedFormsOf);
  const index = Map.groupBy(accepted, (form) => form.iss);
  indexes.set(issuers, index);
  return index;
};

// Microsoft signs for every directory there is with the same keys: a well-formed stranger gets a reason of its own,
// because "add the directory to the list" is what its operator has to hear.
const isOtherDirectory = (issuers: readonly TrustedIssuer[], token: { iss: string; tid?: string }): boolean =>
  isGuid(token.tid) &&
  issuers.some(
    (issuer) =>
      issuer.enabled &&
      issuer.kind === 'entra' &&
      issuer.issuer.includes(DIRECTORY_PLACEHOLDER) &&
      expandDirectory(issuer.issuer, token.tid ?? '') === token.iss,
  );

/**
 * The tenant's trusted issuer for an unverified `iss`.
 * @returns it, or issuer_unknown (also where two issuers claim the same `iss`), directory_tenant_refused.
 */
export const acceptIssuer = (
  tenant: Tenant,
  token: { readonly iss: string; readonly tid?: string },
): Result<AcceptedIssuer, Deny> => {
  const [accepted, ...others] = indexOf(tenant.issuers).get(token.iss) ?? [];
  if (accepted !== undefined && others.length === 0) return ok(accepted);
  if (accepted !== undefined) return err(deny('issuer_unknown', { log: { fault: 'ambiguous issuers' } }));
  return err(deny(isOtherDirectory(tenant.issuers, token) ? 'directory_tenant_refused' : 'issuer_unknown'));
};
