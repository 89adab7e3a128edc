// One Envoy cluster for each version of each server: how it is connected to, not where. Addresses come by EDS,
// resolved and vetted by us, so that Envoy never looks up a name a tenant wrote.

import { type TypedMessage, typedMessage } from '#protos/typed-struct.ts';
import type { GatewaySettings } from '#xds-server/settings.ts';
import { buildProtocolOptions, UPSTREAM_KEEPALIVE } from '#xds-server/translate/connections.ts';
import { buildHealthChecks } from '#xds-server/translate/health-checks.ts';
import { buildLoadBalancing } from '#xds-server/translate/load-balancing.ts';
import { buildCircuitBreakers, buildOutlierDetection } from '#xds-server/translate/protection.ts';
import type { Upstream } from '#xds-server/translate/upstream.ts';
import { buildTransportSockets } from '#xds-server/translate/upstream-tls.ts';

/** The Cluster resource of one version. */
export const buildCluster = (name: string, upstream: Upstream, settings: GatewaySettings): TypedMessage =>
  typedMessage('envoy.config.cluster.v3.Cluster', {
    name,
    type: 'EDS',
    eds_cluster_config: { eds_config: { ads: {}, resource_api_version: 'V3' } },
    connect_timeout: '5s',
    load_balancing_policy: buildLoadBalancing(upstream.settings),
    // By default Envoy sends calls to endpoints known to be unhealthy once all of them are.
    common_lb_config: { healthy_panic_threshold: { value: 0 } },
    ...buildHealthChecks(upstream),
    outlier_detection: buildOutlierDetection(upstream.settings.outlierDetection),
    circuit_breakers: buildCircuitBreakers(upstream.settings.circuitBreakers, upstream.retryBudget),
    upstream_connection_options: UPSTREAM_KEEPALIVE,
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': buildProtocolOptions(upstream),
    },
    ...buildTransportSockets(upstream, settings.upstreamCaFile),
  });
