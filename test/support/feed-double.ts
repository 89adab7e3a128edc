// A registry feed over a list in memory: the real server end of the feed, with changes and commands made by a test.
// It knows one tenant with one server, as guarded-call.ts names them.

import type { FeedEvent } from '#core/feed-message.ts';
import type { Tool } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import type { FeedItem } from '#registry/feed/feed-source.ts';
import { createFeedServer } from '#registry/feed/server.ts';
import { startGrpcServer } from '#runtime/grpc-server.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { SERVER, TENANT } from '#test/support/guarded-call.ts';

/**
 * The tenant of the double.
 * @param tools pinned in the version of its server.
 */
export const tenantAt = (
  revision: number,
  enabled: boolean,
  settings: Partial<Tenant> = {},
  tools: readonly Tool[] = [],
): Tenant => ({
  ...settings,
  id: TENANT,
  revision,
  displayName: 'Acme',
  accessContact: 'admin@acme.example',
  allowedOrigins: [],
  fourEyes: false,
  issuers: [],
  grants: [],
  publishers: [],
  killSwitches: [],
  servers: [
    {
      id: SERVER,
      displayName: 'Tracker',
      enabled,
      allowedHosts: ['127.0.0.1:9101'],
      upstreamAuth: { mode: 'none', scopes: [], appOnly: 'refuse' },
      bindings: [{ issuerId: 'home', audiences: ['api://tracker'], requiredScopes: [] }],
      constraints: [],
      refusalStatus: 200,
      maxBodyBytes: 65_536,
      activeVersion: '1.0.0',
      versions: [
        {
          version: '1.0.0',
          endpoints: ['http://127.0.0.1:9101/mcp'],
          transport: 'streamable-http',
          protocolVersions: ['2025-11-25'],
          tools,
        },
      ],
    },
  ],
});

/**
 * @param settings what the tenant has beside.
 * @param tools pinned in the version of its server.
 */
export const createFeedDouble = (settings: Partial<Tenant> = {}, tools: readonly Tool[] = []) => {
  const items: FeedItem[] = [];
  const listeners = new Set<() => void>();
  const sequence = () => items.length;
  const commit = (item: FeedItem): void => {
    items.push(item);
    for (const listener of listeners) listener();
  };
  const source = {
    epoch: 'test',
    lastSequence: async () => sequence(),
    readAfter: async (after: number, limit: number) => {
      const batch = items.slice(after, after + limit);
      return { items: batch, upTo: after + batch.length, more: after + batch.length < items.length };
    },
    findPolicyBundle: async () => undefined,
    onCommit: (listener: () => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  return {
    /** Sequence of the last commit. */
    sequence,
    change: ({ enabled }: { readonly enabled: boolean }): void => {
      const next = sequence() + 1;
      commit({
        kind: 'change',
        sequence: next,
        change: { kind: 'upsert', sequence: next, tenant: tenantAt(next, enabled, settings, tools) },
      });
    },
    command: (event: FeedEvent): void => commit({ kind: 'event', sequence: sequence() + 1, event }),
    start: async (socketPath: string): Promise<() => Promise<void>> => {
      const logger = createLogger('registry', 'silent');
      const feed = createFeedServer({ source, logger, metrics: createMetrics('registry') });
      const stop = await startGrpcServer({ kind: 'unix', path: socketPath }, [feed.service]);
      return () => stop({ endStreams: feed.stop });
    },
  };
};
