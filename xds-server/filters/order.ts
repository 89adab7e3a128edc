// The one list of HTTP filters, in the order a request meets them (a response meets them in reverse).
// No filter after ext_authz may change the route: what was judged must be what is forwarded.

import { extAuthz } from '#xds-server/filters/ext-authz.ts';
import { extProc } from '#xds-server/filters/ext-proc.ts';
import type { Clusters, HttpFilter } from '#xds-server/filters/filter.ts';
import { judgedMark } from '#xds-server/filters/judged-mark.ts';
import { localRateLimit } from '#xds-server/filters/local-rate-limit.ts';
import { onDemand } from '#xds-server/filters/on-demand.ts';
import { rateLimit } from '#xds-server/filters/rate-limit.ts';
import { requestState } from '#xds-server/filters/request-state.ts';
import { router } from '#xds-server/filters/router.ts';
import { sessionId } from '#xds-server/filters/session-id.ts';
import { stripTrailers } from '#xds-server/filters/strip-trailers.ts';

export const FILTERS: readonly {
  readonly filter: HttpFilter;
  readonly reason: string;
  /** Absent: in every listener. */
  readonly only?: Clusters;
}[] = [
  { filter: stripTrailers, reason: 'first, so that no other filter meets what nobody judges' },
  { filter: localRateLimit, reason: 'bounds what a flood costs before the first hop' },
  {
    filter: extAuthz,
    reason: 'judges before anything leaves; its metadata and headers feed all that follow',
  },
  {
    filter: sessionId,
    reason:
      'the last to see an answer before ext_authz adds the sealed id: no session id of an upstream goes out',
  },
  { filter: judgedMark, reason: 'notes what ext_authz let pass, for the filters that follow' },
  {
    filter: requestState,
    reason: 'puts back what ext_authz has opened; it can change no header and no route',
  },
  { filter: rateLimit, reason: 'counts by principal and tool, which are known only once a call is judged' },
  {
    filter: extProc,
    reason: 'nearest to the upstream of all that answer, so every upstream answer passes it',
  },
  {
    filter: onDemand,
    only: 'on-demand',
    reason: 'waits for the cluster of the route, which is chosen for good; a refused call loads nothing',
  },
  { filter: router, reason: 'forwards, so it is last' },
];
