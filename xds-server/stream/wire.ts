// Both ADS streams' messages as the gRPC library gives and takes them (protos/service.ts), cut to what is used.

import type { PackedAny } from '#protos/pack.ts';
import type { WireNode } from '#xds-server/nodes/claim.ts';

type Answer = {
  readonly node: WireNode | null;
  readonly type_url: string;
  readonly response_nonce: string;
  readonly error_detail: { readonly message: string } | null;
};

/** envoy.service.discovery.v3.DeltaDiscoveryRequest */
export type DeltaRequest = Answer & {
  readonly resource_names_subscribe: readonly string[];
  readonly resource_names_unsubscribe: readonly string[];
  readonly initial_resource_versions: Readonly<Record<string, string>>;
};

/** envoy.service.discovery.v3.DiscoveryRequest */
export type SotwRequest = Answer & { readonly resource_names: readonly string[] };

/** envoy.service.discovery.v3.DeltaDiscoveryResponse */
export type DeltaResponse = {
  readonly system_version_info: string;
  readonly type_url: string;
  readonly nonce: string;
  readonly resources: readonly {
    readonly name: string;
    readonly version: string;
    readonly resource: PackedAny;
  }[];
  readonly removed_resources: readonly string[];
};

/** envoy.service.discovery.v3.DiscoveryResponse */
export type SotwResponse = {
  readonly version_info: string;
  readonly type_url: string;
  readonly nonce: string;
  readonly resources: readonly PackedAny[];
};
