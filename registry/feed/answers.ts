// What a consumer answers to the registry's questions. A question that cannot be read, or that this service cannot answer,
// is not answered: the registry does not wait for long.

import type { EnvoyPreview, NodeConfig, NodeConfigQuestion } from '#core/feed-message.ts';
import type { Tenant } from '#core/tenant.ts';
import { parseNodeConfigQuestion } from '#registry/feed/schema/node-config-schema.ts';
import { parsePreviewedTenant } from '#registry/feed/schema/parse-preview.ts';
import { type FromConsumer, type FromRegistry, jsonBytes } from '#registry/feed/wire-message.ts';

export type Answerers = {
  /** Says what would change for Envoys if the tenant were like this. Absent: this service does not know. */
  readonly onPreview?: (tenant: Tenant) => EnvoyPreview;
  /** Says what an Envoy is to have and has. Absent: this service has no Envoys. */
  readonly onNodeConfig?: (question: NodeConfigQuestion) => NodeConfig;
};

export type RegistryQuestion = Extract<FromRegistry, { message: 'preview' | 'node_question' }>;

export const isQuestion = (received: FromRegistry): received is RegistryQuestion =>
  received.message === 'preview' || received.message === 'node_question';

/** `unreadable`: what was asked cannot be understood. Throws what the answerer throws. */
export const answerTo = (
  received: RegistryQuestion,
  { onPreview, onNodeConfig }: Answerers,
): FromConsumer | 'unreadable' | undefined => {
  if (received.message === 'preview') {
    const { id, tenant } = received.preview;
    const parsed = parsePreviewedTenant(tenant);
    if (!parsed.ok || onPreview === undefined) return parsed.ok ? undefined : 'unreadable';
    return { message: 'preview_answer', preview_answer: { id, answer: jsonBytes(onPreview(parsed.value)) } };
  }
  const { id, question } = received.node_question;
  const parsed = parseNodeConfigQuestion(question);
  if (!parsed.ok || onNodeConfig === undefined) return parsed.ok ? undefined : 'unreadable';
  return { message: 'node_answer', node_answer: { id, answer: jsonBytes(onNodeConfig(parsed.value)) } };
};
