// Clients' messages of both ADS streams as the gRPC library gives and takes them (protos/service.ts), cut to what is used.

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
export type SotwRequest = Answer & {
  readonly resource_names: readonly string[];
  /** Of the response that was taken last, also on an earlier connection. */
  readonly version_info: string;
};
