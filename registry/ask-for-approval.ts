// The registry's answer to a question about a call: the store's, in the words of those who judge calls, with the address
// at which a person finds it.

import type { ApprovalAnswer, ApprovalQuestion } from '#core/call-approval.ts';
import type { CallApproval } from '#registry/store/call-approval.ts';
import type { Store } from '#registry/store/store.ts';

const pending = ({ id, question, expiresAtMs }: CallApproval, publicUrl: string): ApprovalAnswer => ({
  state: 'pending',
  id,
  url: `${publicUrl}/v1/tenants/${question.tenantId}/call-approvals/${id}`,
  expiresAt: new Date(expiresAtMs).toISOString(),
});

/** @param parts.publicUrl where people reach the registry. */
export const createApprovalAnswers =
  (parts: {
    readonly store: Pick<Store, 'askApproval'>;
    readonly publicUrl: string;
    readonly nowMs: () => number;
    readonly newId: () => string;
  }) =>
  async (question: ApprovalQuestion): Promise<ApprovalAnswer> => {
    const { store, publicUrl, nowMs, newId } = parts;
    const asked = await store.askApproval({ question, newId: newId(), nowMs: nowMs() });
    if (!asked.ok) return { state: 'too-many' };
    const { state, id } = asked.value;
    return state === 'granted' || state === 'refused' ? { state, id } : pending(asked.value, publicUrl);
  };
