// `.local/quickstart.json`: where everything is, for programs. The screen says the same to people.

import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_TENANT } from '#core/tenant.ts';
import { CONTOSO_TID, DIRECTORIES } from '#demo/directory.ts';
import { PUBLISHER_KID, publisherKeyFile } from '#demo/publisher-key.ts';
import { buildSeedWorld } from '#demo/seed-world.ts';
import type { DemoSettings } from '#demo/supervisor/settings.ts';

export type Quickstart = {
  readonly gateway: string;
  readonly registry: string;
  readonly envoyAdmin: string;
  /** Issuer of the tenant's own directory. */
  readonly issuer: string;
  readonly tenant: string;
  readonly servers: readonly {
    readonly id: string;
    readonly url: string;
    readonly tools: readonly string[];
  }[];
  readonly users: readonly { readonly name: string; readonly groups: readonly string[] }[];
  readonly tokenCommand: string;
  readonly adminTokenCommand: string;
  /** Signs manifests of every server above: npm run -s manifest:sign. */
  readonly publisher: { readonly kid: string; readonly privateKeyFile: string };
};

/** Everyone with a grant; the registry's admin has none and is reached by `adminTokenCommand`. */
const callers = DIRECTORIES.flatMap(({ users }) => users).filter(({ groups }) => groups.length > 0);

export const buildQuickstart = (settings: DemoSettings): Quickstart => ({
  gateway: settings.publicUrl,
  registry: settings.registryUrl,
  envoyAdmin: `http://127.0.0.1:${settings.envoyAdminPort}`,
  issuer: `${settings.providerOrigin}/${CONTOSO_TID}/v2.0`,
  tenant: DEFAULT_TENANT,
  servers: buildSeedWorld(settings).servers.map(({ id, version }) => ({
    id,
    url: `${settings.publicUrl}/mcp/${id}`,
    tools: version.tools.map((tool) => tool.name),
  })),
  users: callers.map(({ name, groups }) => ({ name, groups: groups.map((group) => group.name) })),
  tokenCommand: 'npm run -s token -- <user> [--server <id>]',
  adminTokenCommand: 'npm run -s token -- --admin',
  publisher: { kid: PUBLISHER_KID, privateKeyFile: publisherKeyFile(settings.localDirectory) },
});

export const quickstartFile = (localDirectory: string): string => join(localDirectory, 'quickstart.json');

/** Written whole or not at all: scripts wait for this file. */
export const writeQuickstart = (settings: DemoSettings): void => {
  const file = quickstartFile(settings.localDirectory);
  writeFileSync(`${file}.new`, `${JSON.stringify(buildQuickstart(settings), null, 2)}\n`);
  renameSync(`${file}.new`, file);
};
