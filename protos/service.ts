// gRPC service definitions by name. Messages are plain objects with proto field names (snake_case), enums as their
// names, bytes as Buffer, 64-bit numbers as strings; absent message fields are null, oneofs name their set member.

import type { ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { GatewayError } from '#core/gateway-error.ts';
import { INCLUDE_DIRECTORIES } from '#protos/include-directories.ts';

const SERVICE_FILES = {
  'envoy.service.auth.v3.Authorization': 'envoy/service/auth/v3/external_auth.proto',
  'envoy.service.ext_proc.v3.ExternalProcessor': 'envoy/service/ext_proc/v3/external_processor.proto',
  'envoy.service.discovery.v3.AggregatedDiscoveryService': 'envoy/service/discovery/v3/ads.proto',
  'envoy.service.accesslog.v3.AccessLogService': 'envoy/service/accesslog/v3/als.proto',
  'envoy.service.metrics.v3.MetricsService': 'envoy/service/metrics/v3/metrics_service.proto',
  'envoy.service.status.v3.ClientStatusDiscoveryService': 'envoy/service/status/v3/csds.proto',
  'mcpgw.approval.v1.CallApprovals': 'mcpgw/approval/v1/approval.proto',
  'mcpgw.drift.v1.ToolDrift': 'mcpgw/drift/v1/drift.proto',
  'mcpgw.feed.v1.RegistryFeed': 'mcpgw/feed/v1/feed.proto',
  'mcpgw.revocation.v1.Revocations': 'mcpgw/revocation/v1/revocation.proto',
  'mcpgw.signals.v1.SignalChannels': 'mcpgw/signals/v1/signals.proto',
} as const;

export type ServiceName = keyof typeof SERVICE_FILES;

/**
 * Loads one service and the messages it needs.
 * @throws GatewayError `codec_failed` if the definition is not found.
 */
export const loadService = (name: ServiceName): ServiceDefinition => {
  const definitions = loadSync(SERVICE_FILES[name], {
    includeDirs: [...INCLUDE_DIRECTORIES],
    keepCase: true,
    longs: String,
    enums: String,
    defaults: true,
    oneofs: true,
  });
  const definition = definitions[name];
  if (definition === undefined || 'format' in definition) {
    throw new GatewayError('codec_failed', `no gRPC service ${name} in ${SERVICE_FILES[name]}`);
  }
  return definition as ServiceDefinition;
};
