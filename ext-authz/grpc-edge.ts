// Check as a gRPC method. Everything it could answer with is a CheckResponse of ours: a gRPC error would be Envoy's to
// word, and the client would not learn why.

import { type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { type CheckParts, check } from '#ext-authz/check.ts';
import type { CheckRequestMessage } from '#ext-authz/request/from-check-request.ts';
import type { CheckResponseMessage } from '#ext-authz/response/check-response.ts';
import { loadService } from '#protos/service.ts';
import type { GrpcService } from '#runtime/grpc-server.ts';

/** envoy.service.auth.v3.Authorization over the given parts. */
export const authorizationService = (parts: CheckParts): GrpcService => ({
  definition: loadService('envoy.service.auth.v3.Authorization'),
  implementation: {
    Check: (
      call: ServerUnaryCall<CheckRequestMessage, CheckResponseMessage>,
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
