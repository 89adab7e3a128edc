// A version that an admin publishes without a manifest, held against the lint that manifests are held against: a model
// reads its texts all the same, whoever has sent them. Pure.

import { findVersion, type ServerVersion } from '#core/server.ts';
import { findServer, type Tenant } from '#core/tenant.ts';
import { faultFrom, toolsOfOthers } from '#registry/manifest/judge-manifest.ts';
import { errorsOf, lintManifest } from '#registry/manifest/lint/lint.ts';
import type { ManifestRefusal } from '#registry/manifest/refusal.ts';

/** What the lint has against a version that is new; undefined if nothing, or if it is published already. */
export const judgeVersionTexts = (
  tenant: Tenant,
  serverId: string,
  version: ServerVersion,
): ManifestRefusal | undefined => {
  const server = findServer(tenant, serverId);
  if (server !== undefined && findVersion(server, version.version) !== undefined) return undefined;
  const sent = {
    manifest: { server: serverId, tools: version.tools },
    pointerAsSent: (pointer: string) => pointer,
  };
  const errors = errorsOf(lintManifest(sent, toolsOfOthers(tenant, serverId)));
  return errors.length === 0 ? undefined : { code: 'manifest-lint-failed', faults: errors.map(faultFrom) };
};
