// Whether a finding rule can ever count: a detector there is, kinds it makes, options that it reads.

import { DETECTOR_KINDS, DETECTOR_NAMES, type DetectorName, ID_COUNTRIES } from '#core/detectors.ts';
import type { FindingRule } from '#core/response-guard.ts';
import type { Fault } from '#registry/commands/outcome.ts';
import { judgeToolList } from '#registry/commands/rules/tool-names.ts';

const PLUG_IN = 'plugin:';

/** The one detector that reads each option. A plug-in is given none. */
const READERS = { allowedHosts: 'exfiltration', countries: 'pii' } as const satisfies Record<
  string,
  DetectorName
>;

const isBuiltIn = (detector: string): detector is DetectorName => Object.hasOwn(DETECTOR_KINDS, detector);

/** What kinds a plug-in makes is in its manifest, which the registry does not see. */
const judgeKinds = ({ detector, kinds = [] }: FindingRule, at: string): Fault[] => {
  if (!isBuiltIn(detector)) return [];
  const known: readonly string[] = DETECTOR_KINDS[detector];
  return kinds.flatMap((kind, index) =>
    known.includes(kind)
      ? []
      : [{ pointer: `${at}/kinds/${index}`, message: `${detector} finds ${known.join(', ')}` }],
  );
};

const judgeOptions = (rule: FindingRule, at: string): Fault[] =>
  (Object.keys(READERS) as (keyof typeof READERS)[]).flatMap((option) =>
    rule[option] === undefined || rule.detector === READERS[option]
      ? []
      : [{ pointer: `${at}/${option}`, message: `is read by the detector ${READERS[option]} alone` }],
  );

const KNOWN_COUNTRIES: readonly string[] = ID_COUNTRIES;

const judgeCountries = ({ countries = [] }: FindingRule, at: string): Fault[] =>
  countries.flatMap((country, index) =>
    KNOWN_COUNTRIES.includes(country)
      ? []
      : [
          {
            pointer: `${at}/countries/${index}`,
            message: `national ids are known of ${KNOWN_COUNTRIES.join(', ')}`,
          },
        ],
  );

/** A host is written as `allowedHosts` of a URL: `example.com`, or `*.example.com` for those below it. */
const HOST = /^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

const judgeHosts = ({ allowedHosts = [] }: FindingRule, at: string): Fault[] =>
  allowedHosts.flatMap((host, index) =>
    HOST.test(host)
      ? []
      : [
          {
            pointer: `${at}/allowedHosts/${index}`,
            message: 'expected a host name in lower case, without a port, or *. and one',
          },
        ],
  );

const judgeFinding = (rule: FindingRule, at: string): Fault[] => {
  const { detector } = rule;
  if (!isBuiltIn(detector) && !detector.startsWith(PLUG_IN))
    return [
      {
        pointer: `${at}/detector`,
        message: `expected ${DETECTOR_NAMES.join(', ')}, or plugin: and the name of a plug-in`,
      },
    ];
  return [
    ...judgeKinds(rule, at),
    ...judgeOptions(rule, at),
    ...judgeCountries(rule, at),
    ...judgeHosts(rule, at),
  ];
};

/** @param tools every tool the rules may name; empty: nothing is known yet. */
export const judgeFindings = (findings: readonly FindingRule[], tools: ReadonlySet<string>): Fault[] =>
  findings.flatMap((rule, index) => {
    const at = `/responseGuard/findings/${index}`;
    return [...judgeFinding(rule, at), ...judgeToolList(tools, rule.tools, at)];
  });
