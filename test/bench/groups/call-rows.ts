// Rows of calls through a whole gateway.

import { type BenchGroup, type Round, read } from '#test/bench/core/row.ts';
import { BARE, ENVOY, NOOP, OPA, OURS, openCalls, RUST, RUST_JWT, TWO } from '#test/bench/groups/calls.ts';
import { cpuRow, perSecondRow } from '#test/bench/groups/shared-rows.ts';

const perSecond = perSecondRow('calls/s');

/** In everything but the server behind it. */
const cpu = cpuRow('call');

/** At saturation. */
export const CALLS: BenchGroup = {
  id: 'calls',
  rows: [
    perSecond('calls-noop', 'calls/s through Envoy ÷ Envoy + no-op', [OURS, NOOP], 0.75),
    perSecond('calls-opa', 'calls/s through Envoy ÷ Envoy + OPA-Go', [OURS, OPA]),
    perSecond('calls-two', 'calls/s through Envoy, two decision processes ÷ one', [TWO, OURS]),
    perSecond('calls-envoy', 'calls/s through Envoy ÷ Envoy alone', [OURS, ENVOY]),
    perSecond('calls-bare', 'calls/s through Envoy ÷ the server behind it alone', [OURS, BARE]),
    cpu('calls-cpu-noop', [OURS, NOOP]),
  ],
  open: (settings) => openCalls(settings),
};

/** Beside a gateway of one process, at saturation. */
export const RUST_CALLS: BenchGroup = {
  id: 'rust',
  rows: [
    perSecond(
      'calls-rust-jwt',
      'calls/s through Envoy ÷ mcp-proxy with JWT and roles',
      [OURS, RUST_JWT],
      0.85,
    ),
    perSecond('calls-rust', 'calls/s through Envoy ÷ mcp-proxy without', [OURS, RUST]),
    cpu('calls-cpu-rust-jwt', [OURS, RUST_JWT]),
  ],
  open: (settings) => openCalls(settings),
};

const RATE = 200;

/** A turn at 200 calls a second has to be longer for a median of many. */
const LONGER = 2;

const MS = 1_000;

const p50 = (contender: string, round: Round): number => read(contender, 'p50Us')(round) / MS;

/** What a contender adds to Envoy with the no-op, milliseconds. */
const added =
  (contender: string) =>
  (round: Round): number =>
    p50(contender, round) - p50(NOOP, round);

/** What cannot be told from nothing, milliseconds. */
const RESOLUTION_MS = 0.05;

/** A peer that seems to add nothing, or less, must not make a ratio that ours meets by its sign. */
export const addedRatio = (ours: number, peer: number): number => ours / Math.max(peer, RESOLUTION_MS);

/** At a fixed rate. */
export const LATENCY: BenchGroup = {
  id: 'latency',
  rows: [
    {
      id: 'latency-opa',
      title: `added p50 over Envoy + no-op at ${RATE}/s ÷ OPA-Go's`,
      needs: [OURS, NOOP, OPA],
      unit: 'ms added',
      ours: added(OURS),
      peer: added(OPA),
      figure: (round) => addedRatio(added(OURS)(round), added(OPA)(round)),
      target: { atMost: 0.3 },
    },
    {
      id: 'latency-noop',
      title: `p50 at ${RATE}/s ÷ Envoy + no-op`,
      needs: [OURS, NOOP],
      unit: 'ms',
      ours: (round) => p50(OURS, round),
      peer: (round) => p50(NOOP, round),
    },
  ],
  open: (settings) => openCalls({ ...settings, seconds: settings.seconds * LONGER }, RATE),
};
