// Whatever an upstream calls a session stays here. Every answer loses its session id, on every path, whether a service of
// ours looked at it or not; what the client gets instead is the sealed id, from ext-proc where a session was just made,
// from ext-authz (which answers pass later) in all that follow.

import { SEALED_SESSION_HEADER } from '#core/internal-headers.ts';
import { SESSION_ID_HEADER } from '#core/sealed-session.ts';
import { typedMessage } from '#protos/typed-struct.ts';
import type { HttpFilter } from '#xds-server/filters/filter.ts';

export const sessionId: HttpFilter = {
  name: 'envoy.filters.http.header_mutation',
  listenerPart: () =>
    typedMessage('envoy.extensions.filters.http.header_mutation.v3.HeaderMutation', {
      mutations: {
        response_mutations: [
          { remove: SESSION_ID_HEADER },
          {
            append: {
              header: { key: SESSION_ID_HEADER, value: `%RESP(${SEALED_SESSION_HEADER})%` },
              append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
            },
          },
          { remove: SEALED_SESSION_HEADER },
        ],
      },
    }),
};
