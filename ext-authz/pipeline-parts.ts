// What the steps of a decision are given: the world as it is now, and the ports by which they ask others.

import type { RevocationBook } from '#core/revocation-book.ts';
import type { AskApproval } from '#ext-authz/approval/approvals.ts';
import type { Authenticator } from '#ext-authz/identity/authenticate.ts';
import type { World } from '#ext-authz/locate.ts';
import type { CallPolicy } from '#ext-authz/policy/call-policy.ts';
import type { Sessions } from '#ext-authz/session/sessions.ts';
import type { TokenBroker } from '#ext-authz/token/broker.ts';

export type PipelineParts = {
  readonly world: () => World;
  readonly authenticator: Pick<Authenticator, 'authenticate'>;
  /** Marks of callers whose tokens and sessions count no more. */
  readonly revocations: RevocationBook;
  readonly policy: CallPolicy;
  readonly broker: TokenBroker;
  readonly sessions: Sessions;
  readonly askApproval: AskApproval;
  /** Absolute URL of the gateway, from configuration. */
  readonly publicUrl: string;
  /** Wall clock, milliseconds since the epoch. */
  readonly nowMs: () => number;
};
