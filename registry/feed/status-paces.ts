// What a status says only sometimes. Paces are said when they changed, so both ends of the feed keep them from one status
// to the next; figures are said once. A registry that does not know a member would refuse the whole status, so such a one
// is not told. Pure.

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

/** Figures without what the response guard judged. */
export const withoutAnswers = (status: ConsumerStatus): ConsumerStatus => {
  const { figures, ...rest } = status;
  if (figures === undefined) return status;
  const versions = figures.versions.filter(({ figures: { answers } }) => answers === undefined);
  return versions.length === 0 ? rest : { ...rest, figures: { versions } };
};
