// What a person sees of a version before it is served: how it differs from what was approved, who made it, what was
// decided. Its digest names all that the decision rests on, so that nobody approves what he has not seen.

import { createHash } from 'node:crypto';
import { canonicalJson } from '#core/canonical-json.ts';
import type { ServerVersion } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import { compareWithPins } from '#registry/approval/compare.ts';
import { type Definition, definitionDigest, definitionOf } from '#registry/approval/definition.ts';
import type { Difference } from '#registry/approval/difference.ts';
import {
  type ApprovalRecords,
  type Decision,
  type KeyRegistration,
  NO_RECORDS,
  type ServerRecords,
  type Submission,
} from '#registry/approval/records.ts';

export const REVIEW_STATES = ['not-needed', 'waiting', 'approved', 'rejected'] as const;
export type ReviewState = (typeof REVIEW_STATES)[number];

/** Everything about a version but the digest, which costs as much as all the rest. */
export type ReviewSummary = {
  readonly serverId: string;
  readonly version: string;
  readonly state: ReviewState;
  readonly definition: Definition;
  /** The version last approved of this server id. */
  readonly baseline: string | undefined;
  readonly differences: readonly Difference[];
  /** Everybody who ever published something under this name, the last one first. */
  readonly submissions: readonly Submission[];
  /** Who registered the keys it is signed with. */
  readonly keyRegistrations: readonly KeyRegistration[];
  /** The last one about this definition. */
  readonly decision: Decision | undefined;
  /** Nobody approves what is his own. */
  readonly fourEyes: boolean;
};

export type Review = ReviewSummary & { readonly digest: string };

export type VersionOfServer = { readonly serverId: string; readonly version: ServerVersion };

export type ReviewFacts = ServerRecords & {
  readonly tenantId: string;
  readonly fourEyes: boolean;
  readonly serverId: string;
  /** Of the tenant. */
  readonly keyRegistrations: readonly KeyRegistration[];
};

const isOf = (version: string) => (record: { readonly version: string }) => record.version === version;

const registrationsFor = (
  submissions: readonly Submission[],
  registrations: readonly KeyRegistration[],
): readonly KeyRegistration[] => {
  const signers = new Set(
    submissions.map(({ signer }) => JSON.stringify([signer?.publisherId, signer?.kid])),
  );
  return registrations.filter(({ publisherId, kid }) => signers.has(JSON.stringify([publisherId, kid])));
};

const stateOf = (decision: Decision | undefined, differences: readonly Difference[]): ReviewState => {
  if (decision?.verdict === 'passed') return 'not-needed';
  if (decision !== undefined) return decision.verdict;
  return differences.some(({ needsApproval }) => needsApproval) ? 'waiting' : 'not-needed';
};

/** The tenant and the name are part of it: an approval is worth nothing elsewhere. */
const digestOf = ({ tenantId, pins }: ReviewFacts, seen: ReviewSummary): string => {
  const { serverId, version, definition, differences } = seen;
  const concerned = new Set([
    ...(pins.surface?.toolNames ?? []),
    ...definition.tools.map(({ name }) => name),
  ]);
  const compared = [...pins.tools]
    .filter(([name]) => concerned.has(name))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const seenWith = [pins.surface ?? null, compared, differences];
  const content = [
    'mcpgw-approval-1',
    tenantId,
    serverId,
    version,
    definitionDigest(definition),
    ...seenWith,
  ];
  return createHash('sha256').update(canonicalJson(content)).digest('hex');
};

/** The last decision about this definition. Without one of that name there is nothing to compute a digest for. */
const decisionAbout = (
  { decisions }: ReviewFacts,
  version: string,
  definition: Definition,
): Decision | undefined => {
  const named = decisions.filter(isOf(version));
  const own = named.length === 0 ? undefined : definitionDigest(definition);
  return named.find((decision) => decision.definition === own);
};

/** A published version in short, for lists. */
export const summariseVersion = (facts: ReviewFacts, version: ServerVersion): ReviewSummary => {
  const { serverId, fourEyes, pins } = facts;
  const submissions = facts.submissions.filter(isOf(version.version));
  const definition = definitionOf(version, submissions[0]?.requests ?? {});
  const differences = compareWithPins(pins, definition);
  const decision = decisionAbout(facts, version.version, definition);
  return {
    serverId,
    version: version.version,
    state: stateOf(decision, differences),
    definition,
    baseline: pins.surface?.version,
    differences,
    submissions,
    keyRegistrations: registrationsFor(submissions, facts.keyRegistrations),
    decision,
    fourEyes,
  };
};

/** The review of a published version. Pure; costs as much as the version is long. */
export const reviewVersion = (facts: ReviewFacts, version: ServerVersion): Review => {
  const summary = summariseVersion(facts, version);
  return { ...summary, digest: digestOf(facts, summary) };
};

type TenantFacts = Pick<Tenant, 'id' | 'fourEyes'>;

/** What is known of one server of a tenant. */
export const factsOf = (
  { id: tenantId, fourEyes }: TenantFacts,
  records: ApprovalRecords,
  serverId: string,
): ReviewFacts => {
  const { keyRegistrations } = records;
  return { ...(records.servers.get(serverId) ?? NO_RECORDS), tenantId, fourEyes, serverId, keyRegistrations };
};

/** Reviews of versions of a tenant, in their order. */
export const reviewVersions = (
  tenant: TenantFacts,
  records: ApprovalRecords,
  versions: readonly VersionOfServer[],
): readonly Review[] =>
  versions.map(({ serverId, version }) => reviewVersion(factsOf(tenant, records, serverId), version));
