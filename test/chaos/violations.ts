// What must not have been, and how it is told: each kind once, with the call at which it was seen first, so that it is found in
// the logs and in the audit.

/** `evidence`: the call it was seen at. */
export type Violation = { readonly at: number; readonly what: string; readonly evidence?: string };

/** Where to look first. */
const placeOf = ({ at, evidence }: Violation): string =>
  `${new Date(at).toISOString()}${evidence === undefined ? '' : `, ${evidence}`}`;

/** Lines for people: a kind, how often, and its first case. */
export const describeViolations = (violations: readonly Violation[]): readonly string[] =>
  [...Map.groupBy(violations, ({ what }) => what)].flatMap(([what, [first, ...others]]) => [
    `    VIOLATION: ${what}${others.length > 0 ? ` (${others.length + 1} times)` : ''}`,
    ...(first === undefined ? [] : [`      ${others.length > 0 ? 'first ' : ''}at ${placeOf(first)}`]),
  ]);
