// Takes the access log entries Envoys stream to us: counts requests by the class of their status, and hands on what
// the entries say about upstreams.

import type { ServerReadableStream, ServiceDefinition, sendUnaryData } from '@grpc/grpc-js';
import { loadService } from '#protos/service.ts';
import type { GrpcService } from '#runtime/grpc-server.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { type LogEntry, logEntriesOf } from '#xds-server/figures/log-entry.ts';
import { type Observation, observationOf } from '#xds-server/figures/observation.ts';

const STATUS_CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;
type StatusClass = (typeof STATUS_CLASSES)[number];

/** `none` for a request that ended without a status. */
const classOf = ({ status }: LogEntry): StatusClass => STATUS_CLASSES[Math.floor(status / 100)] ?? 'none';

// Decoded where the library decodes: what is malformed ends its stream and nothing else.
const withEntries = (definition: ServiceDefinition): ServiceDefinition =>
  Object.fromEntries(
    Object.entries(definition).map(([name, method]) => [
      name,
      { ...method, requestDeserialize: logEntriesOf },
    ]),
  );

/** The service; every request of every Envoy counts once, every observation of an upstream is handed on once. */
export const createAccessLogService = (
  metrics: Metrics,
  onObservation: (observation: Observation) => void,
): GrpcService => {
  const requests = metrics.counter(
    'gateway_requests_total',
    'Requests Envoys have finished, by status class.',
    ['status'],
  );
  const take = (entry: LogEntry): void => {
    if (entry.level === 'call') requests.inc({ status: classOf(entry) });
    const observation = observationOf(entry);
    if (observation !== undefined) onObservation(observation);
  };
  return {
    definition: withEntries(loadService('envoy.service.accesslog.v3.AccessLogService')),
    implementation: {
      StreamAccessLogs: (call: ServerReadableStream<LogEntry[], object>, done: sendUnaryData<object>) => {
        call.on('data', (entries: LogEntry[]) => entries.forEach(take));
        call.on('end', () => done(null, {}));
        call.on('error', () => undefined);
      },
    },
  };
};
