// A server with another split, and the split that is left of one that ends: what is withdrawn outlives it.

import type { McpServer } from '#core/server.ts';
import type { TrafficSplit } from '#core/traffic-split.ts';

/** All calls to one version, in the form that keeps what is withdrawn. Undefined: nothing is. */
export const allTo = (version: string, known: TrafficSplit | undefined): TrafficSplit | undefined =>
  known === undefined || known.withdrawn.length === 0
    ? undefined
    : {
        weights: [{ version, weight: 1 }],
        tools: [],
        testers: [],
        steps: [],
        withdrawn: known.withdrawn,
        ...(known.lastAbort === undefined ? {} : { lastAbort: known.lastAbort }),
      };

/** The server with this split in the place of its own. */
export const withTraffic = (
  { traffic: _traffic, ...server }: McpServer,
  traffic: TrafficSplit | undefined,
): McpServer => (traffic === undefined ? server : { ...server, traffic });
