// Takes the access log entries Envoys stream to us and counts them by the class of their status. Of an entry nothing
// but the status is decoded: paths and headers never become objects here.

import type { ServerReadableStream, ServiceDefinition, sendUnaryData } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { loadService } from '#protos/service.ts';
import type { GrpcService } from '#runtime/grpc-server.ts';
import type { Metrics } from '#runtime/metrics.ts';

const STATUS_CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;
export type StatusClass = (typeof STATUS_CLASSES)[number];

// Field numbers of envoy.service.accesslog.v3.StreamAccessLogsMessage.http_logs, .log_entry,
// envoy.data.accesslog.v3.HTTPAccessLogEntry.response, .response_code and google.protobuf.UInt32Value.value.
const HTTP_LOGS = 2;
const LOG_ENTRY = 1;
const RESPONSE = 4;
const RESPONSE_CODE = 1;
const VALUE = 1;

/** The bodies of every length-delimited field `number` of a message. */
const fieldsOf = (bytes: Uint8Array, number: number): Uint8Array[] => {
  const reader = protobuf.Reader.create(bytes);
  const found: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === ((number << 3) | 2)) found.push(reader.bytes());
    else reader.skipType(tag & 7);
  }
  return found;
};

const statusOf = (value: Uint8Array): number => {
  const reader = protobuf.Reader.create(value);
  return reader.pos < reader.len && reader.uint32() === VALUE << 3 ? reader.uint32() : 0;
};

const classOf = (entry: Uint8Array): StatusClass => {
  const [response] = fieldsOf(entry, RESPONSE);
  const [code] = response === undefined ? [] : fieldsOf(response, RESPONSE_CODE);
  return STATUS_CLASSES[Math.floor((code === undefined ? 0 : statusOf(code)) / 100)] ?? 'none';
};

/** Classes of all entries of one StreamAccessLogsMessage; `none` for a request that ended without a status. */
export const statusClassesOf = (message: Uint8Array): StatusClass[] =>
  fieldsOf(message, HTTP_LOGS).flatMap((logs) => fieldsOf(logs, LOG_ENTRY).map(classOf));

// Decoded where the library decodes: what is malformed ends its stream and nothing else.
const withClasses = (definition: ServiceDefinition): ServiceDefinition =>
  Object.fromEntries(
    Object.entries(definition).map(([name, method]) => [
      name,
      { ...method, requestDeserialize: statusClassesOf },
    ]),
  );

/** The service; every entry of every Envoy counts once. */
export const createAccessLogService = (metrics: Metrics): GrpcService => {
  const requests = metrics.counter(
    'gateway_requests_total',
    'Requests Envoys have finished, by status class.',
    ['status'],
  );
  return {
    definition: withClasses(loadService('envoy.service.accesslog.v3.AccessLogService')),
    implementation: {
      StreamAccessLogs: (call: ServerReadableStream<StatusClass[], object>, done: sendUnaryData<object>) => {
        call.on('data', (classes: StatusClass[]) => {
          for (const status of classes) requests.inc({ status });
        });
        call.on('end', () => done(null, {}));
        call.on('error', () => undefined);
      },
    },
  };
};
