// The step that redaction takes on every message of an answer that rules or the policy want redacted.

import { err, ok } from '#core/result.ts';
import type { Tool } from '#core/server.ts';
import { blocked } from '#ext-proc/answer-fault.ts';
import type { MessageContext, MessageStep } from '#ext-proc/message/message-step.ts';
import type { TransformMeasures } from '#ext-proc/transform-measures.ts';
import { redactMessage } from '#ext-proc/transforms/redact-message.ts';
import type { FitsSchema } from '#ext-proc/transforms/redact-structured.ts';
import { planRedaction } from '#ext-proc/transforms/redaction-plan.ts';

/** The answer to a list method holds pinned texts only (lists/), and no tool's. */
const isList = ({ orders }: MessageContext): boolean =>
  orders.guard === 'list' && orders.method !== undefined;

/**
 * @param parts.fitsSchema the check against a tool's pinned `outputSchema`; undefined for a tool without one.
 */
export const createRedactionStep =
  (parts: {
    readonly fitsSchema: (tool: Tool) => FitsSchema | undefined;
    readonly measures: TransformMeasures;
  }): MessageStep =>
  (message, context) => {
    if (isList(context)) return ok(message);
    const { rules, orders } = context;
    const plan = planRedaction(rules.guard, orders);
    if (plan === undefined) return err(blocked('redaction'));
    if (plan.patterns.length + plan.pointers.length === 0) return ok(message);
    const isChecked = rules.guard.results !== 'off' && rules.tool !== undefined;
    const fits = isChecked ? parts.fitsSchema(rules.tool) : undefined;
    const tally = (redaction: string, count: number): void =>
      parts.measures.redacted(redaction, count, orders);
    return redactMessage(message, { plan, fits, tally, isErrorBody: context.isErrorBody });
  };
