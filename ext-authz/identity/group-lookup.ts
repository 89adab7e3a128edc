// The groups of callers whose tokens leave them out (Entra, past 200): asked of Graph with the issuer's own application,
// kept for a short time, one question a caller at a time. Whatever goes wrong, the caller is refused: unknown groups are
// not no groups.

import { LRUCache } from 'lru-cache';
import { canonicalJson } from '#core/canonical-json.ts';
import { type Deny, deny } from '#core/decision.ts';
import type { GroupLookup, TrustedIssuer } from '#core/issuer.ts';
import type { Reason } from '#core/reason.ts';
import { err, type Result } from '#core/result.ts';
import { type CredentialFacts, credentialFacts } from '#core/revocation.ts';
import type { Secret } from '#core/secret.ts';
import { type GraphAccess, graphAccess } from '#ext-authz/graph/graph-access.ts';
import type { Presentation, VerifiedIdentity } from '#ext-authz/identity/credential.ts';
import type { GraphFault, GraphGroups } from '#ext-authz/identity/graph-groups.ts';
import { isGuid } from '#ext-authz/identity/issuers.ts';
import type { ErrandTokens } from '#ext-authz/token/broker.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { createSingleflight } from '#runtime/singleflight.ts';

export type GroupQuestion = Presentation & {
  readonly issuer: TrustedIssuer;
  readonly identity: VerifiedIdentity;
  /** The caller's own token. It is not sent. */
  readonly assertion: Secret;
  /** Ends the wait; a question under way goes on and is remembered. */
  readonly signal: AbortSignal;
};

export type GroupLookups = {
  /** @returns all groups, or groups_unavailable, groups_lookup_refused, groups_overage, session_revoked, deadline_exceeded. */
  find(question: GroupQuestion): Promise<Result<readonly string[], Deny>>;
  /** Forgets the groups of callers who are meant, and those that are being fetched. */
  forget(isMeant: (tenantId: string, facts: CredentialFacts) => boolean): void;
};

/** How long somebody who left a group is still taken for a member. */
const KEPT_SECONDS = 300;

/** How long a fault is not looked into again. */
const FAULT_SECONDS: Readonly<Record<GraphFault['kind'], number>> = {
  unavailable: 5,
  refused: 30,
  nobody: 60,
  'too-many': KEPT_SECONDS,
};

/** Group ids held at once, of all callers together: about 60 MB. */
const MAX_KEPT_GROUPS = 500_000;

type Finding = { readonly groups: Result<readonly string[], Deny>; readonly until: number };

type KeptFinding = Finding & { readonly tenantId: string; readonly facts: CredentialFacts };

type Plan = GraphAccess & { readonly key: string; readonly oid: string };

const planFor = (
  lookup: GroupLookup,
  { tenant, issuer, identity: { tid, oid, issuer: iss } }: GroupQuestion,
): Plan | undefined => {
  const access = graphAccess(issuer, lookup, tid);
  if (access === undefined || !isGuid(oid)) return undefined;
  return { key: canonicalJson([tenant.id, issuer.id, iss, oid, access]), oid, ...access };
};

const denyFrom = (fault: GraphFault): Deny => {
  switch (fault.kind) {
    case 'unavailable': {
      const { detail, retryAfterSeconds = FAULT_SECONDS.unavailable } = fault;
      return deny('groups_unavailable', { public: { retryAfterSeconds }, log: { graph: detail } });
    }
    case 'refused':
      return deny('groups_lookup_refused', { log: { graph: fault.detail } });
    case 'nobody':
      return deny('session_revoked', { log: { graph: 'the directory does not know the caller' } });
    case 'too-many':
      return deny('groups_overage', { log: { graph: 'more groups than are judged' } });
  }
};

const PASSING: ReadonlySet<Reason> = new Set([
  'provider_throttled',
  'provider_unavailable',
  'deadline_exceeded',
]);

/** Why there is no token for Graph, in the words of a lookup: a fault that passes or one that somebody has to mend. */
const denyWithoutToken = ({ reason, publicFacts, logFacts }: Deny): Deny => {
  const log = { ...logFacts, token: reason };
  return PASSING.has(reason)
    ? deny('groups_unavailable', { public: publicFacts, log })
    : deny('groups_lookup_refused', { log });
};

/** What was found a short time ago. */
const createKeptFindings = () => {
  const known = new LRUCache<string, KeptFinding>({
    max: 20_000,
    maxSize: MAX_KEPT_GROUPS,
    sizeCalculation: ({ groups }) => (groups.ok ? groups.value.length : 0) + 1,
  });
  /** How often something was forgotten: what was asked before that is not kept. */
  let forgotten = 0;
  const forget: GroupLookups['forget'] = (isMeant) => {
    forgotten += 1;
    for (const [key, { tenantId, facts }] of [...known.entries()])
      if (isMeant(tenantId, facts)) known.delete(key);
  };
  return {
    find: (key: string, nowSeconds: number): Finding | undefined => {
      const kept = known.get(key);
      return kept !== undefined && kept.until > nowSeconds ? kept : undefined;
    },
    keep: async (key: string, question: GroupQuestion, work: Promise<Finding>): Promise<Finding> => {
      const before = forgotten;
      const finding = await work;
      const facts = credentialFacts(question.identity);
      if (before === forgotten) known.set(key, { ...finding, tenantId: question.tenant.id, facts });
      return finding;
    },
    forget,
  };
};

/** Remembers nothing yet. */
export const createGroupLookups = (options: {
  readonly graph: GraphGroups;
  readonly broker: ErrandTokens;
  readonly metrics: Metrics;
}): GroupLookups => {
  const known = createKeptFindings();
  const flights = createSingleflight<Finding>();
  const lookups = options.metrics.counter(
    'group_lookups_total',
    'Groups of callers whose tokens leave them out: hit, fetched, or the reason of the refusal.',
    ['outcome'],
  );

  const ask = async (plan: Plan, question: GroupQuestion): Promise<Finding> => {
    const { nowSeconds, identity } = question;
    // The broker judges no groups: it reads who asks for which application.
    const asker = { ...identity, groups: [] };
    const asking = { ...question, identity: asker, signal: new AbortController().signal };
    const acquired = await options.broker.acquireFor(plan.exchange, asking);
    if (!acquired.ok) return { groups: err(denyWithoutToken(acquired.error)), until: nowSeconds };
    const { graphUrl, oid } = plan;
    const answered = await options.graph({ graphUrl, oid, token: acquired.value, nowSeconds });
    if (answered.ok) return { groups: answered, until: nowSeconds + KEPT_SECONDS };
    const { kind } = answered.error;
    const wait = kind === 'unavailable' ? answered.error.retryAfterSeconds : undefined;
    return { groups: err(denyFrom(answered.error)), until: nowSeconds + (wait ?? FAULT_SECONDS[kind]) };
  };

  const findBy = async (plan: Plan, question: GroupQuestion): Promise<Finding['groups']> => {
    const kept = known.find(plan.key, question.nowSeconds);
    if (kept !== undefined) {
      lookups.inc({ outcome: kept.groups.ok ? 'hit' : kept.groups.error.reason });
      return kept.groups;
    }
    const found = await flights.run(
      plan.key,
      () => known.keep(plan.key, question, ask(plan, question)),
      question.signal,
    );
    const groups = found.ok
      ? found.value.groups
      : err(deny('deadline_exceeded', { log: { waitedFor: 'groups' } }));
    lookups.inc({ outcome: groups.ok ? 'fetched' : groups.error.reason });
    return groups;
  };

  return {
    find: async (question) => {
      const lookup = question.issuer.groupLookup;
      if (lookup === undefined) return err(deny('groups_overage'));
      const plan = planFor(lookup, question);
      return plan === undefined
        ? err(deny('groups_lookup_refused', { log: { fault: 'no token endpoint, or no directory' } }))
        : findBy(plan, question);
    },
    forget: known.forget,
  };
};
