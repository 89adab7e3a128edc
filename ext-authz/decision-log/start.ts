// Opens the decision log as it is configured, or none.

import { randomBytes, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { GatewayError } from '#core/gateway-error.ts';
import { createDecisionLog, type DecisionLog } from '#ext-authz/decision-log/decision-log.ts';
import { openLogFile } from '#ext-authz/decision-log/log-file.ts';
import { DEFAULT_MASKS, type Mask, parseMasks } from '#ext-authz/decision-log/mask.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';

export type DecisionLogConfiguration = {
  /** Empty: no log. */
  readonly policyDecisionLog: string;
  /** File of the masks; empty: `DEFAULT_MASKS`. */
  readonly policyDecisionLogMask: string;
  readonly policyDecisionLogMib: number;
};

const loadMasks = async (path: string): Promise<readonly Mask[]> => {
  if (path === '') return DEFAULT_MASKS;
  const text = await readFile(path, 'utf8').catch(() => undefined);
  const masks = text === undefined ? undefined : parseMasks(text);
  if (masks?.ok === true) return masks.value;
  const fault = masks === undefined ? 'cannot be read' : masks.error;
  throw new GatewayError('config_invalid', `POLICY_DECISION_LOG_MASK: ${path} ${fault}`);
};

export type StartedDecisionLog = { readonly log: DecisionLog; stop(): Promise<void> };

/** @throws GatewayError `config_invalid` for masks that cannot be read: without them too much would be written down. */
export const startDecisionLog = async (
  config: DecisionLogConfiguration,
  tools: { readonly logger: Logger; readonly metrics: Metrics },
): Promise<StartedDecisionLog | undefined> => {
  const { policyDecisionLog: path, policyDecisionLogMib } = config;
  if (path === '') return undefined;
  const masks = await loadMasks(config.policyDecisionLogMask);
  const file = await openLogFile(path, { ...tools, maxBytes: policyDecisionLogMib * 1024 * 1024 });
  const log = createDecisionLog({
    file,
    masks,
    // Of this start only: pseudonyms of two starts cannot be told to be of one person, nor found out later.
    key: randomBytes(32),
    labels: { app: 'mcp-security-gateway', service: 'ext-authz', id: randomUUID() },
    nowMs: Date.now,
    newId: randomUUID,
  });
  tools.logger.info({ path, masks: masks.length }, 'policy decisions are logged');
  return { log, stop: () => file.stop() };
};
