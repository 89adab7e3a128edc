// The thread in which tenants' policies run: their code can neither be proven to end nor be interrupted, so it gets a
// thread that can be ended. Each policy has an instance of its own, replaced after anything it throws and when it has
// grown. Knows no tenant and no call: texts in, texts out.

import { parentPort, workerData } from 'node:worker_threads';
import { GatewayError } from '#core/gateway-error.ts';
import type { JsonObject } from '#core/json.ts';
import { loadPolicyModule, type PolicyInstance, type PolicyModule } from '#runtime/policy/wasm-module.ts';
import type { FromWorker, ToWorker, WorkerLimits } from '#runtime/policy/worker-message.ts';

type Policy = { readonly module: PolicyModule; instance: PolicyInstance | undefined };

const limits = workerData as WorkerLimits;

/** In the order of their last use. */
const policies = new Map<string, Policy>();

/** The policies that are asked keep their instances; what an idle one takes is given back. */
const forgetIdle = (): void => {
  const live = [...policies.values()].filter(({ instance }) => instance !== undefined);
  for (const idle of live.slice(0, Math.max(0, live.length - limits.maxInstances))) idle.instance = undefined;
};

const instanceOf = (id: string): PolicyInstance => {
  const policy = policies.get(id);
  if (policy === undefined) throw new GatewayError('policy_failed', 'not loaded');
  policies.delete(id);
  policies.set(id, policy);
  policy.instance ??= policy.module.instantiate();
  forgetIdle();
  return policy.instance;
};

const discard = (id: string): void => {
  const policy = policies.get(id);
  if (policy !== undefined) policy.instance = undefined;
};

const load = (id: string, wasm: Uint8Array, data: JsonObject): void => {
  const { entrypoints, maximumPages } = limits;
  const module = loadPolicyModule(wasm, { data, entrypoints, maximumPages });
  policies.set(id, { module, instance: module.instantiate() });
  forgetIdle();
};

const ask = (
  id: string,
  entrypoint: string,
  input: string,
): Omit<FromWorker & { kind: 'answer' }, 'number'> => {
  const startedAt = performance.now();
  const instance = instanceOf(id);
  const answer = JSON.stringify(instance.evaluate(input, entrypoint));
  const memoryBytes = instance.memoryBytes();
  const renewed = memoryBytes > limits.rebuildAboveBytes;
  if (renewed) discard(id);
  if (answer.length > limits.maxAnswerLength)
    throw new GatewayError('policy_failed', `an answer of ${answer.length} characters`);
  return { kind: 'answer', answer, ms: performance.now() - startedAt, memoryBytes, renewed };
};

const serve = (
  message: ToWorker,
): Omit<FromWorker & { kind: 'answer' }, 'number'> | { readonly kind: 'done' } => {
  if (message.kind === 'ask') return ask(message.id, message.entrypoint, message.input);
  if (message.kind === 'load') load(message.id, message.wasm, message.data);
  else policies.delete(message.id);
  return { kind: 'done' };
};

parentPort?.on('message', (message: ToWorker) => {
  const { number } = message;
  try {
    parentPort?.postMessage({ ...serve(message), number } satisfies FromWorker);
  } catch (thrown) {
    discard(message.id);
    const fault = GatewayError.from(thrown).message.slice(0, limits.maxFaultLength);
    parentPort?.postMessage({ kind: 'fault', fault, number } satisfies FromWorker);
  }
});
