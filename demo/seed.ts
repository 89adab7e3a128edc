// Brings the sample world into the registry through its HTTP API. A world that was brought once is left alone: what
// people changed since stays. It comes again only when it is itself different, such as after a port was changed.

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { DEFAULT_TENANT } from '#core/tenant.ts';
import type { RegistryClient } from '#demo/registry-client.ts';
import type { SeedServer, SeedWorld } from '#demo/seed-world.ts';

const TENANT = `/v1/tenants/${DEFAULT_TENANT}`;

const asRecord = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

/** True when the resource already says all of `wanted`; what it says beside that is not ours. */
const says = (current: unknown, wanted: object): boolean =>
  Object.entries(wanted).every(([key, value]) => isDeepStrictEqual(asRecord(current)[key], value));

/** Creates or replaces one resource unless it already says what is wanted. */
const ensure = async (client: RegistryClient, path: string, wanted: object): Promise<void> => {
  const current = await client.get(path);
  if (current.status === 200 && says(current.body, wanted)) return;
  await client.put(path, wanted, current.status === 200 ? current.etag : undefined);
};

const withoutId = <T extends { readonly id: string }>({ id: _id, ...rest }: T): Omit<T, 'id'> => rest;

/** Published versions never change, so another port needs a version of another name. */
const ensureVersion = async (client: RegistryClient, server: SeedServer): Promise<string> => {
  for (let patch = 0; ; patch += 1) {
    const version = `1.0.${patch}`;
    const path = `${TENANT}/servers/${server.id}/versions/${version}`;
    const current = await client.get(path);
    if (current.status === 200 && says(current.body, server.version)) return version;
    if (current.status === 200) continue;
    await client.put(path, server.version, undefined);
    return version;
  }
};

/** Hosts that were allowed stay allowed: the version being served until the new one is activated names one of them. */
const withHostsOf = (settings: SeedServer['settings'], current: unknown): SeedServer['settings'] => {
  const known = asRecord(current)['allowedHosts'];
  const hosts = [...settings.allowedHosts, ...(Array.isArray(known) ? known.map(String) : [])];
  return { ...settings, allowedHosts: [...new Set(hosts)].toSorted() };
};

const ensureServer = async (client: RegistryClient, server: SeedServer): Promise<void> => {
  const path = `${TENANT}/servers/${server.id}`;
  const before = await client.get(path);
  await ensure(client, path, withHostsOf(server.settings, before.body));
  const version = await ensureVersion(client, server);
  const current = await client.get(path);
  if (asRecord(current.body)['activeVersion'] === version) return;
  await client.put(`${path}/active-version`, { version }, current.etag);
};

const applyWorld = async (client: RegistryClient, world: SeedWorld): Promise<void> => {
  await ensure(client, TENANT, world.tenant);
  for (const issuer of world.issuers)
    await ensure(client, `${TENANT}/issuers/${issuer.id}`, withoutId(issuer));
  for (const server of world.servers) await ensureServer(client, server);
  for (const grant of world.grants) await ensure(client, `${TENANT}/grants/${grant.id}`, withoutId(grant));
  for (const publisher of world.publishers)
    await ensure(client, `${TENANT}/publishers/${publisher.id}`, withoutId(publisher));
};

const digestOf = (world: SeedWorld): string =>
  createHash('sha256').update(JSON.stringify(world)).digest('hex');

const readMarker = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
};

/**
 * Seeds the registry.
 * @param markerFile remembers which world was brought
 * @returns what was done, for the screen
 */
export const seed = async (client: RegistryClient, world: SeedWorld, markerFile: string): Promise<string> => {
  const digest = digestOf(world);
  const tenant = await client.get(TENANT);
  if (tenant.status === 200 && readMarker(markerFile) === digest) return 'unchanged';
  await applyWorld(client, world);
  mkdirSync(dirname(markerFile), { recursive: true, mode: 0o700 });
  writeFileSync(markerFile, digest);
  return `${world.servers.length} servers, ${world.grants.length} grants`;
};
