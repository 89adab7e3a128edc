// The last judge: every chain verifies, and everything that reached a server or was refused as it had to be is on record once,
// as what it was.

import { type Due, describeCall, type Oracle } from '#test/chaos/oracle.ts';
import type { World } from '#test/chaos/world.ts';
import { runAuditCommand } from '#test/support/audit-command.ts';

/** What is open in a record of the chain. */
export type DecisionRecord = {
  readonly kind: string;
  readonly body: Readonly<Record<string, unknown>>;
};

type Finding = { readonly what: string; readonly evidence: string };

/** What the records of one request are not; undefined: they are as they should be. */
const faultOf = ({ call, decision }: Due, found: readonly DecisionRecord[]): string | undefined => {
  const reached = decision === 'allow' ? 'reached a server' : 'was refused';
  const [only, second] = found;
  if (only === undefined) return `a call that ${reached} is not on record`;
  if (second !== undefined) return `a call that ${reached} is on record more than once`;
  const { body } = only;
  if (body['decision'] !== decision) return `a call that ${reached} is on record as ${body['decision']}`;
  // What a refused call was about is known as far as it was read.
  const isOfCall =
    decision === 'deny' ||
    (body['tenant'] === call.tenantId &&
      body['server'] === call.serverId &&
      (call.tool === '' || body['tool'] === call.tool));
  return isOfCall ? undefined : `a call that ${reached} is on record as another call`;
};

/** @param due by `x-request-id`. */
export const judgeRecords = (
  due: ReadonlyMap<string, Due>,
  records: readonly DecisionRecord[],
): readonly Finding[] => {
  const decisions = records.filter(({ kind }) => kind === 'decision');
  const found = Map.groupBy(decisions, ({ body }) => String(body['requestId']));
  return [...due].flatMap(([requestId, one]) => {
    const what = faultOf(one, found.get(requestId) ?? []);
    return what === undefined ? [] : [{ what, evidence: describeCall(one.call, requestId) }];
  });
};

/** What is wrong goes to the oracle. @returns records of allowed calls */
export const checkAudit = ({ places }: World, oracle: Oracle): number => {
  const environment = { MCPGW_STATE_DIR: places.stateDirectory };
  const verified = runAuditCommand(environment, 'verify');
  if (verified.status !== 0) oracle.violated(`audit:verify fails: ${verified.output} ${verified.notes}`);
  const lines = runAuditCommand(environment, 'export').output.split('\n');
  const records = lines.map((line) => JSON.parse(line) as DecisionRecord);
  for (const { what, evidence } of judgeRecords(oracle.due(), records)) oracle.violated(what, evidence);
  return records.filter(({ body }) => body['decision'] === 'allow').length;
};
