// The message types xds-server packs, loaded once from the .proto files. Knows nothing of what is packed.

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { GatewayError } from '#core/gateway-error.ts';
import { INCLUDE_DIRECTORIES } from '#protos/include-directories.ts';
import { declareNewerFields } from '#protos/newer-fields.ts';

/** One file for each message that is a resource or travels as `google.protobuf.Any`; what they import comes along. */
const FILES = [
  'envoy/config/bootstrap/v3/bootstrap.proto',
  'envoy/config/cluster/v3/cluster.proto',
  'envoy/config/endpoint/v3/endpoint.proto',
  'envoy/config/listener/v3/listener.proto',
  'envoy/config/route/v3/route.proto',
  'envoy/config/route/v3/scoped_route.proto',
  'envoy/extensions/access_loggers/filters/cel/v3/cel.proto',
  'envoy/extensions/access_loggers/grpc/v3/als.proto',
  'envoy/extensions/access_loggers/stream/v3/stream.proto',
  'envoy/extensions/common/matching/v3/extension_matcher.proto',
  'envoy/extensions/filters/common/matcher/action/v3/skip_action.proto',
  'envoy/extensions/filters/http/ext_authz/v3/ext_authz.proto',
  'envoy/extensions/filters/http/header_mutation/v3/header_mutation.proto',
  'envoy/extensions/filters/http/header_to_metadata/v3/header_to_metadata.proto',
  'envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit.proto',
  'envoy/extensions/filters/http/ratelimit/v3/rate_limit.proto',
  'envoy/extensions/filters/http/router/v3/router.proto',
  'envoy/extensions/filters/listener/http_inspector/v3/http_inspector.proto',
  'envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto',
  'envoy/extensions/filters/http/upstream_codec/v3/upstream_codec.proto',
  'envoy/extensions/retry/host/previous_hosts/v3/previous_hosts.proto',
  'envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer.proto',
  'envoy/extensions/transport_sockets/tls/v3/tls.proto',
  'envoy/extensions/transport_sockets/tls/v3/secret.proto',
  'envoy/extensions/upstreams/http/v3/http_protocol_options.proto',
  'envoy/type/matcher/v3/http_inputs.proto',
  'xds/type/v3/typed_struct.proto',
] as const;

// protobufjs carries the JSON of descriptor.proto, which the annotations of Envoy's files import, but does not
// register it by itself.
const registerDescriptor = (): void => {
  const file = createRequire(import.meta.url).resolve('protobufjs/google/protobuf/descriptor.json');
  const { nested } = JSON.parse(readFileSync(file, 'utf8')).nested.google.nested.protobuf;
  protobuf.common('descriptor', { google: { nested: { protobuf: { nested } } } });
};

const load = (): protobuf.Root => {
  registerDescriptor();
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => {
    if (target.startsWith('google/protobuf/')) return target;
    return (
      INCLUDE_DIRECTORIES.map((directory) => join(directory, target)).find((path) => existsSync(path)) ?? null
    );
  };
  root.loadSync([...FILES], { keepCase: true });
  declareNewerFields(root);
  root.resolveAll();
  return root;
};

let loaded: protobuf.Root | undefined;

/**
 * The type of that full name, e.g. `envoy.config.cluster.v3.Cluster`. The first call loads every file (≈ 0.4 s).
 * @throws GatewayError `codec_failed` if no loaded file declares it.
 */
export const findMessageType = (name: string): protobuf.Type => {
  loaded ??= load();
  try {
    return loaded.lookupType(name);
  } catch (cause) {
    throw new GatewayError('codec_failed', `no message type ${name}`, { cause });
  }
};
