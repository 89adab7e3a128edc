// What makes channels of revocations work: only Entra is watched through Graph, and a bound on silence that leaves room for
// one answer that is late.

import { DIRECTORY_PLACEHOLDER, type TrustedIssuer } from '#core/issuer.ts';
import type { GraphSignals } from '#core/issuer-signals.ts';
import { issuerName } from '#registry/commands/resources.ts';
import { isOrigin } from '#registry/commands/rules/origin.ts';
import type { Rule } from '#registry/commands/rules/rule.ts';

type Fault = { readonly pointer: string; readonly message: string };

/** Keys are fetched from one address, which no token has a say in. */
const judgeKeys = ({ signals }: TrustedIssuer): readonly Fault[] =>
  signals?.sharedSignals?.jwksUri.includes(DIRECTORY_PLACEHOLDER)
    ? [
        {
          pointer: '/signals/sharedSignals/jwksUri',
          message: `${DIRECTORY_PLACEHOLDER} cannot stand here`,
        },
      ]
    : [];

const judgeGraph = (
  { kind, tokenEndpoint }: TrustedIssuer,
  { graphUrl, pollSeconds, maxStaleSeconds }: GraphSignals,
): readonly Fault[] => {
  const faults: readonly [boolean, string, string][] = [
    [kind !== 'entra', '', 'only an Entra issuer is watched through Graph'],
    [tokenEndpoint === undefined, '', 'needs the tokenEndpoint to ask for its own token'],
    [
      graphUrl !== undefined && !isOrigin(graphUrl),
      '/graphUrl',
      'expected an origin such as https://graph.microsoft.com, without path and slash',
    ],
    [
      maxStaleSeconds !== undefined && maxStaleSeconds < 2 * pollSeconds,
      '/maxStaleSeconds',
      'shorter than two polls: one late answer would refuse everybody',
    ],
  ];
  return faults
    .filter(([isFault]) => isFault)
    .map(([, pointer, message]) => ({ pointer: `/signals/graph${pointer}`, message }));
};

export const signalsRule: Rule = ({ issuers }) =>
  issuers.flatMap((issuer) =>
    [
      ...judgeKeys(issuer),
      ...(issuer.signals?.graph === undefined ? [] : judgeGraph(issuer, issuer.signals.graph)),
    ].map((fault) => ({ resource: issuerName(issuer.id), ...fault })),
  );
