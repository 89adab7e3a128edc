// Switches an operator throws in an emergency, and whom they stop. A switch only refuses: what it no longer stops is
// judged by everything else. Every service that meets one decides by the same two functions here.

import type { Identity } from '#core/identity.ts';

export const SWITCH_KINDS = ['tenant', 'server', 'tool', 'principal', 'application'] as const;

/**
 * What is switched off. A caller is named as the decision log shows it (`principal`), or as a grant does: by directory
 * object id or subject, or client id, of one issuer or of whichever sends it.
 */
export type SwitchTarget =
  | { readonly kind: 'tenant' }
  | { readonly kind: 'server'; readonly serverId: string }
  | { readonly kind: 'tool'; readonly serverId: string; readonly tool: string }
  | { readonly kind: 'principal'; readonly principal: string }
  | { readonly kind: 'principal'; readonly id: string; readonly issuerId?: string }
  | { readonly kind: 'application'; readonly clientId: string; readonly issuerId?: string };

export type KillSwitch = {
  readonly id: string;
  readonly target: SwitchTarget;
  /** RFC 3339, UTC: from then on it stops nobody. Absent: until it is released. */
  readonly until?: string;
  /** For whoever reads the list of switches. */
  readonly note?: string;
};

/** All that a switch can know a caller by. */
export type CallerFacts = {
  readonly principal: string;
  readonly issuerId: string;
  /** Object id and subject, and who acts for the subject (RFC 8693 §4.1). */
  readonly ids: readonly string[];
  /** The client the token was issued to, and who acts for the subject. */
  readonly applications: readonly string[];
};

/** What is known of a call; what is not known yet, or is not of the call, is left out. */
export type SwitchFacts = {
  readonly serverId: string;
  readonly tools?: readonly string[];
  /** It continues the answer to an earlier call (`Last-Event-ID`), and nobody can tell of which tool. */
  readonly resumes?: boolean;
  readonly caller?: CallerFacts;
};

const distinct = (values: readonly (string | undefined)[]): readonly string[] => [
  ...new Set(values.filter((value) => value !== undefined)),
];

/** What a switch can know this caller by. */
export const callerFacts = ({ principal, issuerId, subject, oid, app, actor }: Identity): CallerFacts => ({
  principal,
  issuerId,
  ids: distinct([oid, subject, actor]),
  applications: distinct([app, actor]),
});

/** True from the moment the switch ends by itself. A moment nobody can read never comes: the switch stays thrown. */
export const hasLapsed = ({ until }: KillSwitch, nowMs: number): boolean =>
  until !== undefined && Date.parse(until) <= nowMs;

const ofIssuer = (issuerId: string | undefined, caller: CallerFacts): boolean =>
  issuerId === undefined || issuerId === caller.issuerId;

const namesCaller = (target: Extract<SwitchTarget, { kind: 'principal' }>, caller: CallerFacts): boolean =>
  'principal' in target
    ? target.principal === caller.principal
    : caller.ids.includes(target.id) && ofIssuer(target.issuerId, caller);

const namesTool = (target: Extract<SwitchTarget, { kind: 'tool' }>, facts: SwitchFacts): boolean =>
  target.serverId === facts.serverId &&
  (facts.resumes === true || facts.tools?.includes(target.tool) === true);

/** Whether the target takes in a call of which this is known. */
export const takesIn = (target: SwitchTarget, facts: SwitchFacts): boolean => {
  const { caller } = facts;
  switch (target.kind) {
    case 'tenant':
      return true;
    case 'server':
      return target.serverId === facts.serverId;
    case 'tool':
      return namesTool(target, facts);
    case 'principal':
      return caller !== undefined && namesCaller(target, caller);
    case 'application':
      return caller?.applications.includes(target.clientId) === true && ofIssuer(target.issuerId, caller);
  }
};
