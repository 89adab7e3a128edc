// What snapshots are made of beside the registry's word, and changes by itself.

import type { PaceOf } from '#xds-server/adaptive/pace-of.ts';
import type { EndpointFacts } from '#xds-server/translate/endpoints.ts';
import type { MaterialOf } from '#xds-server/translate/secrets.ts';

/** Another value whenever something of it changed. */
export type Facts = EndpointFacts & {
  /** Absent: there are no secrets. */
  readonly materialOf?: MaterialOf;
  /** Absent: adaptive servers stand where they begin. */
  readonly paceOf?: PaceOf;
};
