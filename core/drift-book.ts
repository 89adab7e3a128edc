// Which tools drift at this moment, by server: what the registry tells every service of it, and how one is found. A
// server's entry is always the whole of it, so that one taken twice or in another order does no harm.

export type DriftingTool = {
  readonly version: string;
  readonly tool: string;
  /** When a replica was first seen to serve it otherwise, RFC 3339. */
  readonly since: string;
};

/** What drifts of one server; without tools nothing does. */
export type ServerDrift = {
  readonly tenantId: string;
  readonly serverId: string;
  readonly tools: readonly DriftingTool[];
};

/** Servers of which something drifts, by a key of this file's own. Never changed: another state is another object. */
export type DriftState = ReadonlyMap<string, ServerDrift>;

export const NO_DRIFT: DriftState = new Map();

/** Ids hold no blank. */
const keyOf = ({ tenantId, serverId }: Pick<ServerDrift, 'tenantId' | 'serverId'>): string =>
  `${tenantId} ${serverId}`;

/** The state with this in the place of what was known of the server. */
export const withDrift = (state: DriftState, drift: ServerDrift): DriftState => {
  const next = new Map(state);
  if (drift.tools.length === 0) next.delete(keyOf(drift));
  else next.set(keyOf(drift), drift);
  return next;
};

/** What makes `after` of `before`: servers that differ, those without drift by now among them. */
export const driftBetween = (before: DriftState, after: DriftState): readonly ServerDrift[] => [
  ...[...after].flatMap(([key, drift]) => (before.get(key) === drift ? [] : [drift])),
  ...[...before].flatMap(([key, drift]) => (after.has(key) ? [] : [{ ...drift, tools: [] }])),
];

const indexes = new WeakMap<ServerDrift, ReadonlyMap<string, DriftingTool>>();

const indexOf = (drift: ServerDrift): ReadonlyMap<string, DriftingTool> => {
  const known = indexes.get(drift);
  if (known !== undefined) return known;
  const index = new Map(drift.tools.map((drifting) => [`${drifting.version} ${drifting.tool}`, drifting]));
  indexes.set(drift, index);
  return index;
};

/** True if anything of the server drifts, in whatever version. */
export const drifts = (state: DriftState, at: Pick<ServerDrift, 'tenantId' | 'serverId'>): boolean =>
  state.has(keyOf(at));

/** The tool of a version, if a replica was seen to serve it otherwise than was approved. */
export const findDrift = (
  state: DriftState,
  at: {
    readonly tenantId: string;
    readonly serverId: string;
    readonly version: string;
    readonly tool: string;
  },
): DriftingTool | undefined => {
  const drift = state.get(keyOf(at));
  return drift === undefined ? undefined : indexOf(drift).get(`${at.version} ${at.tool}`);
};

/** Tools of a version that drift. */
export const driftingTools = (
  state: DriftState,
  at: { readonly tenantId: string; readonly serverId: string; readonly version: string },
): readonly string[] =>
  (state.get(keyOf(at))?.tools ?? []).flatMap(({ version, tool }) => (version === at.version ? [tool] : []));
