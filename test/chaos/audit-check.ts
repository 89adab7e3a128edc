// The last judge: every chain verifies, and everything that reached a server is on record as allowed.

import type { Oracle } from '#test/chaos/oracle.ts';
import type { World } from '#test/chaos/world.ts';
import { runAuditCommand } from '#test/support/audit-command.ts';

type View = { readonly body: Readonly<Record<string, unknown>> };

/** What is wrong goes to the oracle. @returns records of allowed calls */
export const checkAudit = ({ places }: World, oracle: Oracle): number => {
  const environment = { MCPGW_STATE_DIR: places.stateDirectory };
  const verified = runAuditCommand(environment, 'verify');
  if (verified.status !== 0) oracle.violated(`audit:verify fails: ${verified.output} ${verified.notes}`);
  const allowed = new Set<unknown>();
  for (const line of runAuditCommand(environment, 'export').output.split('\n')) {
    const { body } = JSON.parse(line) as View;
    if (body['decision'] === 'allow') allowed.add(body['requestId']);
  }
  const missing = [...oracle.arrivedRequests()].filter((id) => !allowed.has(id));
  if (missing.length > 0) oracle.violated(`${missing.length} calls reached a server and are not on record`);
  return allowed.size;
};
