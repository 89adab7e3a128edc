// The paces in a status: they are said only when they changed, so both ends of the feed keep them from one status to the
// next; and a registry that does not know them would refuse the whole status, so such a one is not told. Pure.

import type { ConsumerStatus } from '#core/feed-message.ts';

/** The status with the paces of the one before it, where it says nothing of them. */
export const withKnownPaces = (
  status: ConsumerStatus,
  before: ConsumerStatus | null | undefined,
): ConsumerStatus =>
  status.paces !== undefined || before?.paces === undefined ? status : { ...status, paces: before.paces };

/** What is said again on a new connection. Figures are not: sent twice they would be calls that nobody made. */
export const keptStatus = (
  { figures: _saidOnce, ...status }: ConsumerStatus,
  before: ConsumerStatus | undefined,
): ConsumerStatus => withKnownPaces(status, before);

export const withoutPaces = ({ paces: _paces, ...status }: ConsumerStatus): ConsumerStatus => status;
