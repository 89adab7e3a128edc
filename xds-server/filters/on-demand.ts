// Fetches the cluster of a call that Envoy has not got yet and holds the call until it is there. Only in the listener of
// Envoys that ask for clusters one by one; the route it waits for is the one that was judged.

import { typedStruct } from '#protos/typed-struct.ts';
import type { HttpFilter } from '#xds-server/filters/filter.ts';

/** A cluster comes within milliseconds. Longer than this xds-server is away, and the caller is told so. */
const TIMEOUT = '3s';

export const onDemand: HttpFilter = {
  name: 'envoy.filters.http.on_demand',
  // TypedStruct: odcds is newer than the npm protos know it whole.
  listenerPart: () =>
    typedStruct('envoy.extensions.filters.http.on_demand.v3.OnDemand', {
      odcds: { source: { ads: {}, resource_api_version: 'V3' }, timeout: TIMEOUT },
    }),
};
