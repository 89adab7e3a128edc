// What going back makes of a split: the former one, and with it every version that was withdrawn since. Whether the
// former one can be had without a version that is withdrawn now is for the rules to say.

import type { McpServer } from '#core/server.ts';
import { allTo, withTraffic } from '#registry/commands/with-traffic.ts';

/** The former server, with what is withdrawn now withdrawn in it. */
export const keepWithdrawn = (past: McpServer, current: McpServer | undefined): McpServer => {
  const known = current?.traffic;
  if (known === undefined || known.withdrawn.length === 0) return past;
  const former = past.traffic ?? allTo(past.activeVersion, known);
  if (former === undefined) return past;
  const withdrawn = [...new Set([...former.withdrawn, ...known.withdrawn])].toSorted();
  const lastAbort = known.lastAbort ?? former.lastAbort;
  return withTraffic(past, { ...former, withdrawn, ...(lastAbort === undefined ? {} : { lastAbort }) });
};
