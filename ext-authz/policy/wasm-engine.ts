// The policy engine in this process. Whatever goes wrong with an evaluation is one refusal, policy_failed; an instance
// that threw or grew is not used again, because its memory is in no state anyone has described.

import { type Deny, deny } from '#core/decision.ts';
import { GatewayError } from '#core/gateway-error.ts';
import { readDecision, readVisible } from '#core/policy/read-answer.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { PolicyEngine } from '#ext-authz/policy/engine.ts';
import type { PolicyInput } from '#ext-authz/policy/input.ts';
import type { PolicyMetrics } from '#ext-authz/policy/policy-metrics.ts';
import type { PolicyInstance, PolicyModule } from '#runtime/policy/wasm-module.ts';

/** Reading JSON costs about 7 ms a megabyte, during which no other call is judged. */
const MAX_INPUT_BYTES = 256 * 1024;

/** Memory never shrinks and an allocator may keep growing it; past this the instance is replaced. */
const REBUILD_ABOVE_BYTES = 16 * 1024 * 1024;

/** Longest text of an engine's error in the log. */
const MAX_ERROR_LENGTH = 200;

type WasmEngineOptions = {
  readonly module: PolicyModule;
  readonly revision: string;
  readonly readsArguments: boolean;
  /** As the engine says it of itself; absent: false. */
  readonly rulesAreKnown?: boolean;
  readonly metrics?: PolicyMetrics | undefined;
  readonly maxInputBytes?: number;
  readonly rebuildAboveBytes?: number;
};

/** An instance at hand, replaced when it has become unfit. */
const createInstanceKeeper = ({ module, metrics, rebuildAboveBytes }: WasmEngineOptions) => {
  let instance: PolicyInstance | undefined = module.instantiate();
  const limit = rebuildAboveBytes ?? REBUILD_ABOVE_BYTES;
  return {
    get: (): PolicyInstance => {
      instance ??= module.instantiate();
      return instance;
    },
    discard: (cause: 'memory' | 'failure'): void => {
      instance = undefined;
      metrics?.rebuilt(cause);
    },
    isTooLarge: (): boolean => {
      const bytes = instance?.memoryBytes() ?? 0;
      metrics?.memory(bytes);
      return bytes > limit;
    },
  };
};

/**
 * An engine over one compiled policy.
 * @throws what the module throws if not even a first instance can be made.
 */
export const createWasmEngine = (options: WasmEngineOptions): PolicyEngine => {
  const { revision, readsArguments, rulesAreKnown = false, metrics } = options;
  const maxInputBytes = options.maxInputBytes ?? MAX_INPUT_BYTES;
  const keeper = createInstanceKeeper(options);

  const fail = (fault: string): Deny => deny('policy_failed', { log: { policy: revision, fault } });

  const run = (input: PolicyInput, entrypoint: string): Result<unknown, string> => {
    try {
      const text = JSON.stringify(input);
      const bytes = Buffer.byteLength(text);
      if (bytes > maxInputBytes) return err(`input of ${bytes} bytes`);
      const answer = keeper.get().evaluate(text, entrypoint);
      if (keeper.isTooLarge()) keeper.discard('memory');
      return ok(answer);
    } catch (thrown) {
      keeper.discard('failure');
      return err(`threw: ${GatewayError.from(thrown).message.slice(0, MAX_ERROR_LENGTH)}`);
    }
  };

  const ask = <T>(
    input: PolicyInput,
    entrypoint: 'decision' | 'visible',
    read: (answer: unknown) => Result<T, string>,
  ): Result<T, Deny> => {
    const startedAt = performance.now();
    const answer = run(input, `mcp/authz/${entrypoint}`);
    const outcome = answer.ok ? read(answer.value) : answer;
    const seconds = (performance.now() - startedAt) / 1000;
    metrics?.evaluated(entrypoint, outcome.ok ? 'answered' : 'failed', seconds);
    return outcome.ok ? outcome : err(fail(outcome.error));
  };

  return {
    revision,
    readsArguments,
    rulesAreKnown,
    evaluate: (input) => ask(input, 'decision', readDecision),
    visible: (input) => ask(input, 'visible', readVisible),
  };
};
