// Puts a server's own `requestState` back into a request, in the place of the sealed one its client holds. ext_authz cannot
// change a body, so the few calls that bring one pass ext-proc on their way in as well; ext-authz says which.

import type { JsonObject } from '#core/json.ts';
import { typedMessage, typedStruct } from '#protos/typed-struct.ts';
import { extAuthz } from '#xds-server/filters/ext-authz.ts';
import { MESSAGE_TIMEOUT, metadataHas, skip } from '#xds-server/filters/ext-proc.ts';
import { envoyGrpc, type HttpFilter } from '#xds-server/filters/filter.ts';

const NAME = 'mcpgw.request_state';

const processor: JsonObject = {
  name: NAME,
  typed_config: typedStruct('envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor', {
    grpc_service: envoyGrpc('ext-proc'),
    failure_mode_allow: false,
    status_on_error: { code: 'BadGateway' },
    message_timeout: MESSAGE_TIMEOUT,
    processing_mode: {
      request_header_mode: 'SKIP',
      // Whole: ext_authz has collected it anyway.
      request_body_mode: 'BUFFERED',
      request_trailer_mode: 'SKIP',
      response_header_mode: 'SKIP',
      response_body_mode: 'NONE',
      response_trailer_mode: 'SKIP',
    },
    mutation_rules: { disallow_all: true },
    metadata_options: { forwarding_namespaces: { untyped: [extAuthz.name] } },
  }),
};

export const requestState: HttpFilter = {
  name: NAME,
  listenerPart: () =>
    typedMessage('envoy.extensions.common.matching.v3.ExtensionWithMatcher', {
      extension_config: processor,
      xds_matcher: {
        matcher_list: {
          matchers: [
            { predicate: { not_matcher: metadataHas(extAuthz.name, 'opensState') }, on_match: skip },
          ],
        },
      },
    }),
};
