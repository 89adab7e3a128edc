// What a person approves of a version: all that it would serve, and what its manifest asked for beside.

import { createHash } from 'node:crypto';
import { canonicalJson } from '#core/canonical-json.ts';
import type { ServerVersion, TokenMode, Tool } from '#core/server.ts';

/** What a manifest asks of the admin. It changes nothing by itself, and is approved with the rest. */
export type Requests = {
  readonly upstreamAuth?: { readonly mode: TokenMode; readonly scopes: readonly string[] };
  readonly health?: { readonly path: string };
};

/** Where a version leads and how it is spoken to: all of it but its tools. */
export type Surface = Pick<ServerVersion, 'endpoints' | 'transport' | 'protocolVersions'> & Requests;

export type Definition = { readonly surface: Surface; readonly tools: readonly Tool[] };

/** The requests among the fields of a manifest. */
export const requestsOf = ({ upstreamAuth, health }: Requests): Requests => ({
  ...(upstreamAuth === undefined ? {} : { upstreamAuth }),
  ...(health === undefined ? {} : { health }),
});

/** The definition of a published version. */
export const definitionOf = (version: ServerVersion, requests: Requests): Definition => ({
  surface: {
    endpoints: version.endpoints,
    transport: version.transport,
    protocolVersions: version.protocolVersions,
    ...requestsOf(requests),
  },
  tools: version.tools,
});

const byName = (a: Tool, b: Tool): number => (a.name < b.name ? -1 : 1);

/** Digests of definitions with these tools, by their surface. What is published never changes, and its tools are long. */
const known = new WeakMap<readonly Tool[], Map<string, string>>();

/** SHA-256, hex, whatever order the tools came in. The label keeps it from ever being a digest of anything else. */
export const definitionDigest = ({ surface, tools }: Definition): string => {
  const surfaceText = canonicalJson(surface);
  const bySurface = known.get(tools) ?? new Map<string, string>();
  known.set(tools, bySurface);
  const digest =
    bySurface.get(surfaceText) ??
    createHash('sha256')
      .update(`["mcpgw-definition-1",${surfaceText},${canonicalJson(tools.toSorted(byName))}]`)
      .digest('hex');
  bySurface.set(surfaceText, digest);
  return digest;
};
