// The outline every HTTP filter of ours is written to: one file each, two functions, no state.

import type { JsonObject } from '#core/json.ts';
import type { TypedMessage } from '#protos/typed-struct.ts';
import type { GatewaySettings } from '#xds-server/settings.ts';

/** How an Envoy gets clusters: all of its view, or each with the first call that needs it. */
export type Clusters = 'all' | 'on-demand';

export type HttpFilter = {
  /** Envoy's canonical name; also the key of per-route configuration and of dynamic metadata. */
  readonly name: string;
  /** Its part of the listener. */
  readonly listenerPart: (settings: GatewaySettings) => TypedMessage;
};

/** An entry of `typed_per_filter_config`. */
export type RoutePart = Readonly<Record<string, TypedMessage>>;

/** A gRPC service of ours as Envoy calls it. The timeout is never 0, which means for ever. */
export const envoyGrpc = (cluster: string, timeout?: string, retry?: JsonObject): JsonObject => ({
  envoy_grpc: { cluster_name: cluster },
  ...(timeout === undefined ? {} : { timeout }),
  // Not the one of envoy_grpc, which is for streams of xDS alone.
  ...(retry === undefined ? {} : { retry_policy: retry }),
});
