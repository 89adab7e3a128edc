// The findings of a replay in words. Pure.

import type { Example, Found, Summary } from '#ext-authz/replay/tally.ts';

/** Names and examples written out for each kind of change; `--json` has all. */
const SHOWN = 5;

const counts = (entries: Readonly<Record<string, number>>): string => {
  const all = Object.entries(entries);
  const shown = all.slice(0, SHOWN).map(([name, count]) => `${name} ${count}`);
  return [...shown, ...(all.length > SHOWN ? [`${all.length - SHOWN} more`] : [])].join(', ');
};

const exampleLine = ({ decisionId, caller, target, before, now }: Example): string =>
  `    ${decisionId}  ${caller} ${target}: ${before} -> ${now}`;

const section = (change: string, found: Found): readonly string[] => {
  const doubt =
    found.uncertain === 0
      ? ''
      : `, ${found.uncertain} of them uncertain: what the call was made with is not in the record`;
  return [
    `${change}: ${found.count}${doubt}`,
    `  tenants  ${counts(found.tenants)}`,
    `  targets  ${counts(found.targets)}`,
    `  callers  ${counts(found.callers)}`,
    ...found.examples.slice(0, SHOWN).map(exampleLine),
  ];
};

/** @param revision of the policy that judged now. */
export const replayReport = (summary: Summary, revision: string): string => {
  const { decisions, same, unreadable, changes, lacking, recordedBy } = summary;
  const skipped =
    unreadable === 0 ? [] : [`${unreadable} lines are no decisions of this gateway and were passed over`];
  const absent = Object.keys(lacking).length === 0 ? [] : [`not in the records: ${counts(lacking)}`];
  return [
    `${decisions} decisions of ${counts(recordedBy) || 'no policy'}, judged by ${revision}: ${same} the same, ${decisions - same} others`,
    ...skipped,
    ...absent,
    ...Object.entries(changes).flatMap(([change, found]) => section(change, found)),
  ].join('\n');
};
