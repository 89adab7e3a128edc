// Whether a call comes by the transport its version is reached by. A server that is spoken to by WebSocket would make
// nothing of a POST, and one that is not would leave a connection open that nobody judges. Pure.

import { type Deny, deny } from '#core/decision.ts';
import type { McpCall } from '#core/mcp-call.ts';
import type { ServerVersion } from '#core/server.ts';

/** websocket_required, websocket_refused, or nothing. */
export const judgeTransport = ({ transport }: ServerVersion, { kind }: McpCall): Deny | undefined => {
  if ((transport === 'websocket') === (kind === 'upgrade')) return undefined;
  return deny(transport === 'websocket' ? 'websocket_required' : 'websocket_refused');
};
