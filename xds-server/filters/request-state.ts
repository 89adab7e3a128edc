// Puts a server's own `requestState` back into a request, in the place of the sealed one its client holds. ext_authz cannot
// change a body, so the few calls that bring one pass ext-proc on their way in as well; ext-authz says which.

import { extAuthz } from '#xds-server/filters/ext-authz.ts';
import { externalProcessor, metadataHas } from '#xds-server/filters/external-processor.ts';
import type { HttpFilter } from '#xds-server/filters/filter.ts';

const NAME = 'mcpgw.request_state';

export const requestState: HttpFilter = {
  name: NAME,
  listenerPart: () =>
    externalProcessor({
      name: NAME,
      // Whole: ext_authz has collected it anyway.
      looksAt: { request_body_mode: 'BUFFERED' },
      more: { mutation_rules: { disallow_all: true } },
      skippedIf: [{ not_matcher: metadataHas(extAuthz.name, 'opensState') }],
    }),
};
