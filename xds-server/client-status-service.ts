// The client status discovery service (CSDS): what every connected Envoy is to have and has, resource by resource. It is
// for operators and has an address of its own, so that an Envoy cannot read there what other Envoys are told. Names,
// versions and words only: what is in a resource, the Envoy's own `/config_dump` shows to those who may see it.

import { type ServerDuplexStream, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { err, ok, type Result } from '#core/result.ts';
import { loadService } from '#protos/service.ts';
import type { GrpcService } from '#runtime/grpc-server.ts';
import type { ClientStatus, ResourceStatus } from '#xds-server/stream/client-status.ts';
import { type NodeMatcher, nodeTest } from '#xds-server/stream/node-matcher.ts';

/** Resources one answer holds at most; to write more would hold up every Envoy. */
const MAX_RESOURCES = 100_000;

/** envoy.service.status.v3.ClientStatusRequest */
type Request = { readonly node_matchers: readonly NodeMatcher[] };
/** envoy.service.status.v3.ClientStatusResponse */
type Response = { readonly config: readonly unknown[] };
type Refusal = { readonly code: status; readonly details: string };

export type ConnectedClient = ClientStatus & { readonly nodeId: string };

/** envoy.service.status.v3.ClientConfig.GenericXdsConfig */
const genericConfig = (resource: ResourceStatus) => ({
  type_url: resource.typeUrl,
  name: resource.name,
  version_info: resource.held?.version ?? '',
  config_status: resource.configStatus,
  client_status: resource.clientStatus,
  ...(resource.error === undefined
    ? {}
    : { error_state: { details: resource.error.message, version_info: resource.error.version } }),
});

const answer = (
  { node_matchers }: Request,
  clients: () => readonly ConnectedClient[],
): Result<Response, Refusal> => {
  const isMeant = nodeTest(node_matchers);
  if (!isMeant.ok) return err({ code: status.INVALID_ARGUMENT, details: isMeant.error });
  const meant = clients().filter(({ nodeId }) => isMeant.value(nodeId));
  const total = meant.reduce((sum, { resources }) => sum + resources.length, 0);
  if (total > MAX_RESOURCES) {
    const details = `${meant.length} nodes with ${total} resources are too many for one answer: name nodes in node_matchers`;
    return err({ code: status.RESOURCE_EXHAUSTED, details });
  }
  const config = meant.map(({ nodeId, resources }) => ({
    node: { id: nodeId },
    generic_xds_configs: resources.map(genericConfig),
  }));
  return ok({ config });
};

/** @param clients one entry per open stream, asked for on every request. */
export const createClientStatusService = (clients: () => readonly ConnectedClient[]): GrpcService => ({
  definition: loadService('envoy.service.status.v3.ClientStatusDiscoveryService'),
  implementation: {
    FetchClientStatus: (call: ServerUnaryCall<Request, Response>, reply: sendUnaryData<Response>) => {
      const answered = answer(call.request, clients);
      if (answered.ok) reply(null, answered.value);
      else reply(answered.error);
    },
    StreamClientStatus: (call: ServerDuplexStream<Request, Response>) => {
      call.on('data', (request) => {
        const answered = answer(request, clients);
        if (answered.ok) call.write(answered.value);
        else call.emit('error', answered.error);
      });
      call.on('end', () => call.end());
    },
  },
});
