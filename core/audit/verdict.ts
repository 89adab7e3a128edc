// What a verification says: of what is there, whether it is as it was written; of what should be there, whether it is.
// Two verdicts, because a chain without its tail is not a forged one, and the next step differs.

export type AuditFault =
  /** Integrity: a line is not what was written. */
  | 'malformed'
  | 'edited'
  | 'key_unknown'
  | 'foreign'
  | 'duplicated'
  | 'reordered'
  | 'forked'
  | 'checkpoint_invalid'
  | 'head_invalid'
  /** Completeness: a line is not there. */
  | 'gap'
  | 'beginning_missing'
  | 'tail_missing'
  | 'chain_missing';

export type Found = {
  readonly fault: AuditFault;
  /** The record at which it shows; 0 where that is no record. */
  readonly sequence: number;
  /** What proves it, e.g. `head`. */
  readonly by?: string;
};

export type ChainVerdict = {
  readonly chain: string;
  readonly records: number;
  /** Numbers of the first and last good record; 0 if there is none. */
  readonly first: number;
  readonly last: number;
  readonly integrity: Found | undefined;
  readonly completeness: Found | undefined;
  /** `closed`: it ended by itself; `open`: its process runs or was killed. */
  readonly state: 'open' | 'closed';
  /** Not a fault: a last line that was being written when the process was killed. Nobody was answered because of it. */
  readonly torn: boolean;
};

export const isSound = ({ integrity, completeness }: ChainVerdict): boolean =>
  integrity === undefined && completeness === undefined;

const describe = (found: Found | undefined, good: string): string => {
  if (found === undefined) return good;
  const { fault, sequence, by } = found;
  return `FAULT ${fault} at ${sequence}${by === undefined ? '' : ` by ${by}`}`;
};

/** One line for a person. */
export const describeVerdict = (verdict: ChainVerdict): string => {
  const { chain, records, first, last, integrity, completeness, state, torn } = verdict;
  const range = `${records} records ${first}-${last}`;
  const tail = torn ? ', last line torn and never answered' : '';
  return `${chain}: ${range} (${state}${tail}); integrity ${describe(integrity, 'ok')}; completeness ${describe(completeness, 'ok')}`;
};
