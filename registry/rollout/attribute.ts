// Which revision of a tenant brought what an Envoy refuses. An xds-server publishes several commits at once when they
// come fast, so an honest answer may be "one of these". Pure.

import type { EnvoyNodeStatus } from '#core/feed-message.ts';

/** A revision among the commits, and the tenant's revisions beside it. */
export type RevisionPlace = {
  readonly sequence: number;
  /** Of the tenant's revision before; absent for the first. */
  readonly previous?: number;
  /** Of the tenant's revision after; absent for the newest. */
  readonly next?: number;
};

/** `this-or-others`: the revision was published together with others of the tenant, or nobody knows since when. */
export type Attribution = 'this-revision' | 'this-or-others' | 'another-revision';

type Arrived = EnvoyNodeStatus['rejected'][number]['arrived'];

/** Nobody saw it arrive: it stands there now, so it can only be the newest revision's or an older one's. */
const attributeUnseen = (upTo: number, { sequence, next }: RevisionPlace): Attribution =>
  upTo >= sequence && (next === undefined || next > upTo) ? 'this-or-others' : 'another-revision';

/** Whether content that came to be wanted within `arrived` was brought by the revision. */
export const attribute = (arrived: Arrived, place: RevisionPlace): Attribution => {
  const { after, upTo } = arrived ?? { upTo: Number.MAX_SAFE_INTEGER };
  if (after === undefined) return attributeUnseen(upTo, place);
  const isWithin = (sequence: number | undefined): boolean =>
    sequence !== undefined && sequence > after && sequence <= upTo;
  if (!isWithin(place.sequence)) return 'another-revision';
  return isWithin(place.previous) || isWithin(place.next) ? 'this-or-others' : 'this-revision';
};
