// Takes the access log entries Envoys stream to us: counts requests by the class of their status, and hands on what
// the entries say about upstreams.

import type { ServerReadableStream, ServiceDefinition, sendUnaryData } from '@grpc/grpc-js';
import { loadService } from '#protos/service.ts';
import { callerNames, type GrpcService } from '#runtime/grpc-server.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { type LogEntry, logEntriesOf } from '#xds-server/figures/log-entry.ts';
import { type Observation, observationOf } from '#xds-server/figures/observation.ts';
import type { Admission } from '#xds-server/nodes/admission.ts';
import { ownerOfCluster } from '#xds-server/translate/names.ts';

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

/**
 * The service, and what ends its streams; every request of every Envoy counts once, every observation of an upstream is handed on
 * once, if whoever reports it may be a node of that upstream: a sidecar cannot make another server look slow.
 */
export const createAccessLogService = (
  metrics: Metrics,
  admission: Pick<Admission, 'mayReport'>,
  onObservation: (observation: Observation) => void,
): { readonly service: GrpcService; readonly endStreams: () => void } => {
  const requests = metrics.counter(
    'gateway_requests_total',
    'Requests Envoys have finished, by status class.',
    ['status'],
  );
  const take = (entry: LogEntry, names: ReturnType<typeof callerNames>): void => {
    if (entry.level === 'call') requests.inc({ status: classOf(entry) });
    const observation = observationOf(entry);
    if (observation === undefined) return;
    const owner = ownerOfCluster(observation.cluster);
    if (owner !== undefined && admission.mayReport(names, owner)) onObservation(observation);
  };
  // An Envoy never ends the stream of its log: whoever drains has to, and the Envoy goes on at the next server.
  const open = new Set<() => void>();
  const implementation = {
    StreamAccessLogs: (call: ServerReadableStream<LogEntry[], object>, done: sendUnaryData<object>) => {
      const names = callerNames(call);
      const end = (): void => {
        if (open.delete(end)) done(null, {});
      };
      open.add(end);
      call.on('data', (entries: LogEntry[]) => {
        for (const entry of entries) take(entry, names);
      });
      call.on('end', end);
      call.on('cancelled', () => open.delete(end));
      call.on('error', () => open.delete(end));
    },
  };
  const definition = withEntries(loadService('envoy.service.accesslog.v3.AccessLogService'));
  return {
    service: { definition, implementation },
    endStreams: () => {
      for (const end of open) end();
    },
  };
};
