// Finds addresses by which data could leave: images that are fetched as soon as they are shown, links behind a label,
// bare addresses, data and scripts in the place of an address.

import { DETECTOR_KINDS } from '#core/detectors.ts';
import type { Detector } from '#ext-proc/sanitation/detector.ts';
import { type Address, findAddresses } from '#ext-proc/sanitation/detectors/exfiltration/find-addresses.ts';
import {
  carriesData,
  destinationOf,
  isAllowedHost,
} from '#ext-proc/sanitation/detectors/exfiltration/judge-address.ts';

type Kind = (typeof DETECTOR_KINDS)['exfiltration'][number];

const KIND_OF: Readonly<Record<Address['use'], Kind>> = { image: 'image', link: 'link', bare: 'url' };

/** Of data in a text without any markup only what a reader would run or decode. */
const ACTIVE_DATA = /^data:(?:text\/html|image\/svg|application\/|[^,]{0,100};base64,)/i;

const kindOf = (
  text: string,
  address: Address,
  allowedHosts: readonly string[] | undefined,
): Kind | undefined => {
  const { use, scheme, start, end } = address;
  if (scheme === 'data')
    return use !== 'bare' || ACTIVE_DATA.test(text.slice(start, Math.min(end, start + 150)))
      ? 'data-url'
      : undefined;
  if (scheme === 'javascript' || scheme === 'vbscript') return KIND_OF[use];
  const destination = destinationOf(text, address);
  const hasUser = text.slice(start, end - destination.rest.length).includes('@');
  if (!hasUser && isAllowedHost(destination.host, allowedHosts ?? [])) return undefined;
  const isSuspect =
    allowedHosts !== undefined || use === 'image' || destination.isDisguised || carriesData(destination);
  return isSuspect ? KIND_OF[use] : undefined;
};

export const exfiltration: Detector = {
  name: 'exfiltration',
  kinds: DETECTOR_KINDS.exfiltration,
  scan: (text, { allowedHosts }) =>
    findAddresses(text).flatMap((address) => {
      const kind = kindOf(text, address, allowedHosts);
      return kind === undefined ? [] : [{ kind, start: address.start, end: address.end }];
    }),
};
