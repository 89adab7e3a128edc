// Several ext-authz beside each other on one machine, for more than one core: how many, which one this is, and what each is
// called. By its name a process has its own socket, files, audit chain and place on the feed.

import { integer } from '#runtime/config.ts';

/** More is no use: each holds a copy of all that is served. */
const MAX_PROCESSES = 32;

/** How many there are. Envoy spreads calls over them. */
export const decisionProcesses = integer(1, MAX_PROCESSES)('DECISION_PROCESSES', '1');

/** Which of them this one is. */
export const decisionProcess = integer(1, MAX_PROCESSES)('EXT_AUTHZ_PROCESS', '1');

const NAME = 'ext-authz';

/** The first one is called as if there were no others: nothing of a deployment moves when a second one joins. */
export const decisionProcessName = (number: number): string => (number === 1 ? NAME : `${NAME}-${number}`);

/** Names of all of them, the first one first. */
export const decisionProcessNames = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => decisionProcessName(index + 1));

/** True for the name of any of them. */
export const isDecisionProcess = (name: string): boolean => /^ext-authz(-([2-9]|[1-9]\d))?$/.test(name);
