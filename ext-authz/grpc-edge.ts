// Check as a gRPC method. Everything it could answer with is a CheckResponse of ours: a gRPC error would be Envoy's to
// word, and the client would not learn why. Messages are read and written by our own codec: one that reads all of a
// CheckRequest through descriptors was the greatest single cost of a decision.

import {
  type MethodDefinition,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { GatewayError } from '#core/gateway-error.ts';
import { type CheckParts, check } from '#ext-authz/check.ts';
import type { CheckResponseMessage } from '#ext-authz/response/check-response.ts';
import { encodeCheckResponse } from '#ext-authz/response/encode-check-response.ts';
import type { GrpcService } from '#runtime/grpc-server.ts';

const asItIs = (bytes: Buffer): Buffer => bytes;

const CHECK: MethodDefinition<Buffer, CheckResponseMessage> = {
  path: '/envoy.service.auth.v3.Authorization/Check',
  requestStream: false,
  responseStream: false,
  requestSerialize: asItIs,
  requestDeserialize: asItIs,
  responseSerialize: encodeCheckResponse,
  responseDeserialize: () => {
    throw new GatewayError('codec_failed', 'a CheckResponse is written here and never read');
  },
};

/** envoy.service.auth.v3.Authorization: requests as their bytes, answers through our encoder. For a server only. */
export const AUTHORIZATION_DEFINITION: ServiceDefinition = { Check: CHECK };

/** envoy.service.auth.v3.Authorization over the given parts. */
export const authorizationService = (parts: CheckParts): GrpcService => ({
  definition: AUTHORIZATION_DEFINITION,
  implementation: {
    Check: (
      call: ServerUnaryCall<Buffer, CheckResponseMessage>,
      callback: sendUnaryData<CheckResponseMessage>,
    ) => {
      check(parts, call.request).then(
        (response) => callback(null, response),
        // Envoy answers 503 to an error: still a refusal, only without our words.
        () => callback({ code: status.INTERNAL }),
      );
    },
  },
});
