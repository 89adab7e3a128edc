// A copy on disk back into a snapshot: its lines are applied by the very transitions that apply what the feed sends.

import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { type DriftState, NO_DRIFT, type ServerDrift, withDrift } from '#core/drift-book.ts';
import { isJsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Revocation } from '#core/revocation.ts';
import { EMPTY_SNAPSHOT } from '#core/snapshot.ts';
import {
  copyFromDisk,
  onCaughtUp,
  onChange,
  onPatch,
  type ReceivedCopy,
} from '#registry/feed/received-copy.ts';
import { ServerDriftSchema } from '#registry/feed/schema/drift-schema.ts';
import { readTenantChange } from '#registry/feed/schema/parse-message.ts';
import { RevocationSchema } from '#registry/feed/schema/revocation-schema.ts';
import { type Chain, readSealed } from '#registry/feed/snapshot-lines.ts';
import type { CaughtUp, SavedSnapshot } from '#registry/feed/snapshot-records.ts';

const isNumber = (value: unknown): value is number => Number.isFinite(value);

const readCaughtUp = (value: unknown): CaughtUp | undefined => {
  if (!isJsonObject(value) || value['kind'] !== 'caught-up') return undefined;
  const { kind, position, sequence, freshAtMs, revocations, drift } = value;
  const isComplete = isNumber(position) && isNumber(sequence) && isNumber(freshAtMs);
  if (!isComplete) return undefined;
  return {
    kind,
    position,
    sequence,
    freshAtMs,
    ...(revocations === true ? { revocations } : {}),
    ...(drift === true ? { drift } : {}),
  };
};

const kept = Compile(
  Type.Object({
    kind: Type.Literal('revocations'),
    revocations: Type.Array(Type.Unsafe<Revocation>(RevocationSchema)),
  }),
);

const keptDrift = Compile(
  Type.Object({ kind: Type.Literal('drift'), drift: Type.Unsafe<ServerDrift>(ServerDriftSchema) }),
);

const applyChange = (copy: ReceivedCopy, value: unknown): Result<ReceivedCopy, string> => {
  const change = readTenantChange(value);
  if (!change.ok) return change;
  if (change.value.kind !== 'patch') return ok(onChange(copy, change.value));
  const patched = onPatch(copy, change.value);
  return patched.fault === undefined ? ok(patched.copy) : err(patched.fault);
};

/** Everything up to a catch-up. `sequence` may be higher than that of any tenant: the last change may have removed one. */
const show = (copy: ReceivedCopy, { position, sequence }: CaughtUp): ReceivedCopy =>
  copyFromDisk(copy.epoch, position, { ...onCaughtUp(copy, position).published, sequence });

type Replay = {
  readonly chain: Chain;
  readonly copy: ReceivedCopy;
  /** As of the last catch-up. */
  readonly shown?: {
    readonly copy: ReceivedCopy;
    readonly complete: CaughtUp;
  };
  /** One list that grows: what follows the last catch-up only refuses, and counts all the same. */
  readonly revocations: Revocation[];
  readonly drift: DriftState;
};

const replayLine = (replay: Replay, line: string): Result<Replay, string> => {
  const sealed = readSealed(replay.chain, line);
  if (!sealed.ok) return sealed;
  const { chain, value } = sealed.value;
  const complete = readCaughtUp(value);
  if (complete !== undefined) {
    const copy = show(replay.copy, complete);
    return ok({ ...replay, chain, copy, shown: { copy, complete } });
  }
  if (kept.Check(value)) {
    replay.revocations.push(...value.revocations);
    return ok({ ...replay, chain });
  }
  if (keptDrift.Check(value)) return ok({ ...replay, chain, drift: withDrift(replay.drift, value.drift) });
  const applied = applyChange(replay.copy, value);
  return applied.ok ? ok({ ...replay, chain, copy: applied.value }) : applied;
};

/**
 * The state of the last catch-up. A last line without an end, and changes without a catch-up behind them, are what a
 * killed process leaves and are passed over; a line that does not follow on the one before makes it no copy.
 * @param lines after the opening; the last one is empty where the file ends with a line's end.
 * @param modifiedAtMs counts as the copy's age where it is whole; else what its last catch-up says.
 */
export const replayLines = (
  opening: { readonly epoch: string; readonly chain: Chain },
  lines: readonly string[],
  modifiedAtMs: number,
): Result<SavedSnapshot, string> => {
  let replay: Replay = {
    chain: opening.chain,
    copy: copyFromDisk(opening.epoch, 0, EMPTY_SNAPSHOT),
    revocations: [],
    drift: NO_DRIFT,
  };
  for (const line of lines.slice(0, -1)) {
    const next = replayLine(replay, line);
    if (!next.ok) return next;
    replay = next.value;
  }
  const { copy, shown, revocations: entries, drift } = replay;
  if (shown === undefined) return err('not complete');
  const { epoch, position, published } = shown.copy;
  const isWhole = lines.at(-1) === '' && copy === shown.copy;
  const { complete } = shown;
  return ok({
    epoch,
    position,
    snapshot: published,
    freshAtMs: isWhole ? modifiedAtMs : Math.min(complete.freshAtMs, modifiedAtMs),
    ...(complete.revocations === true ? { revocations: { entries, length: entries.length } } : {}),
    ...(complete.drift === true ? { drift } : {}),
  });
};
