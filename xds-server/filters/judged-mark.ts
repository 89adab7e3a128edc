// Notes that ext-authz let the request pass, as metadata the filters behind it can ask for. Without the version header
// no route forwards, and only ext-authz can set it, so what has no mark never reached an upstream.

import { VERSION_HEADER } from '#core/internal-headers.ts';
import { typedMessage } from '#protos/typed-struct.ts';
import type { HttpFilter } from '#xds-server/filters/filter.ts';

/** Where the mark is found. */
export const JUDGED_NAMESPACE = 'mcpgw.judged';
export const JUDGED_KEY = 'version';

export const judgedMark: HttpFilter = {
  name: 'envoy.filters.http.header_to_metadata',
  listenerPart: () =>
    typedMessage('envoy.extensions.filters.http.header_to_metadata.v3.Config', {
      request_rules: [
        {
          header: VERSION_HEADER,
          on_header_present: { metadata_namespace: JUDGED_NAMESPACE, key: JUDGED_KEY, type: 'STRING' },
        },
      ],
    }),
};
