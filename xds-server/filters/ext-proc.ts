// The response guard: answers pass ext-proc, except where ext-authz said that nothing in them is to be judged. What
// decides that is metadata only ext-authz can write; no client and no upstream has a say. Fails closed.

import type { JsonObject } from '#core/json.ts';
import { typedMessage } from '#protos/typed-struct.ts';
import { externalProcessor, guardIs, metadataHas } from '#xds-server/filters/external-processor.ts';
import type { HttpFilter } from '#xds-server/filters/filter.ts';
import { JUDGED_KEY, JUDGED_NAMESPACE } from '#xds-server/filters/judged-mark.ts';

const NAME = 'envoy.filters.http.ext_proc';

/** Envoy's attribute; comes with the response's headers. */
const UPSTREAM_ADDRESS = 'upstream.address';

/** It cuts answers and says so in their headers; it neither signs in, leads on, nor opens another protocol. */
const WHAT_IT_MAY_CHANGE: JsonObject = {
  disallow_system: true,
  disallow_expression: { regex: 'set-cookie|www-authenticate|location|transfer-encoding|connection|upgrade' },
  disallow_is_error: true,
};

const wasJudged = metadataHas(JUDGED_NAMESPACE, JUDGED_KEY);

// Exact on purpose: `application/json; charset=utf-8` and anything unusual take the hop.
const isPlainJson: JsonObject = {
  single_predicate: {
    input: {
      name: 'content-type',
      typed_config: typedMessage('envoy.type.matcher.v3.HttpResponseHeaderMatchInput', {
        header_name: 'content-type',
      }),
    },
    value_match: { exact: 'application/json' },
  },
};

export const extProc: HttpFilter = {
  name: NAME,
  listenerPart: () =>
    externalProcessor({
      name: NAME,
      looksAt: { response_header_mode: 'SEND' },
      more: {
        // The body mode follows from the response's headers, so ext-proc names it in its answer to them.
        allow_mode_override: true,
        mutation_rules: WHAT_IT_MAY_CHANGE,
        // The replica that answered: a session is sealed with it.
        response_attributes: [UPSTREAM_ADDRESS],
      },
      skippedIf: [
        // A stream takes the hop even with nothing to judge: it is how an operator can end it.
        { and_matcher: { predicate: [guardIs('off'), isPlainJson] } },
        // What ext-authz did not let pass is answered by Envoy itself: unknown paths, bodies over the limit,
        // ext-authz away. There are no orders for it, and without orders ext-proc refuses.
        { not_matcher: wasJudged },
        // Envoy would send its own refusal through ext-proc, and with ext-proc down a 403 became a 500.
        guardIs('denied'),
      ],
    }),
};
