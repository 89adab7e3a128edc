// Table of channels of signals, and what is committed with something that came by one.

import type { DirectoryHint } from '#core/feed-message.ts';
import { writeHints } from '#registry/store/events.ts';
import { spendId } from '#registry/store/manifests.ts';
import type {
  SignalChannelName,
  SignalChannelState,
  StreamStatus,
  TakenSignal,
} from '#registry/store/signal.ts';
import type { Database, Tables } from '#registry/store/tables.ts';

const noteChannel = async (
  transaction: Database,
  { key, nowMs, verified, streamStatus }: TakenSignal,
): Promise<void> => {
  const heard: Partial<Tables['signal_channels']> & { heard_at: number } = {
    heard_at: nowMs,
    ...(verified === undefined ? {} : { verified_at: nowMs, verified_state: verified.state ?? null }),
    ...(streamStatus === undefined ? {} : { stream_status: streamStatus }),
  };
  const { tenantId: tenant, issuerId: issuer, channel } = key;
  await transaction
    .insertInto('signal_channels')
    .values({ tenant, issuer, channel, ...heard })
    .onConflict((conflict) => conflict.columns(['tenant', 'issuer', 'channel']).doUpdateSet(heard))
    .execute();
};

const isSome = (hints: readonly DirectoryHint[]): hints is readonly [DirectoryHint, ...DirectoryHint[]] =>
  hints.length > 0;

/** `repeated`: it came before. Otherwise the sequence of the last hint, 0 where there was none. */
export const takeSignal = async (
  transaction: Database,
  signal: TakenSignal,
): Promise<'repeated' | { readonly sequence: number }> => {
  const { id, nowMs, hints = [] } = signal;
  if (id !== undefined && !(await spendId(transaction, id, Math.floor(nowMs / 1_000)))) return 'repeated';
  await noteChannel(transaction, signal);
  return { sequence: isSome(hints) ? await writeHints(transaction, hints) : 0 };
};

const stateFromRow = (row: Tables['signal_channels']): SignalChannelState => ({
  tenantId: row.tenant,
  issuerId: row.issuer,
  channel: row.channel as SignalChannelName,
  heardAtMs: Number(row.heard_at),
  ...(row.verified_at === null ? {} : { verifiedAtMs: Number(row.verified_at) }),
  ...(row.verified_state === null ? {} : { verifiedState: row.verified_state }),
  ...(row.stream_status === null ? {} : { streamStatus: row.stream_status as StreamStatus }),
});

export const listSignalChannels = async (database: Database): Promise<readonly SignalChannelState[]> =>
  (await database.selectFrom('signal_channels').selectAll().execute()).map(stateFromRow);
