// A tenant's policy in an OPA of its own, over OPA's Data API (`POST /v1/data/{path}` with `{"input": …}`). Bounded in
// time, size and number, through the egress guard; its answer is read like any policy's. Whatever goes wrong is
// policy_failed for this call: what nobody has answered is not permitted.

import { type Deny, deny } from '#core/decision.ts';
import { GatewayError } from '#core/gateway-error.ts';
import { isJsonObject } from '#core/json.ts';
import { readDecision, readVisible } from '#core/policy/read-answer.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Secret } from '#core/secret.ts';
import type { RemotePolicy } from '#core/tenant-policy.ts';
import { createOpenQuestions } from '#ext-authz/open-questions.ts';
import type { PolicyInput } from '#ext-authz/policy/input.ts';
import type { TenantEngine } from '#ext-authz/policy/tenant-engine.ts';
import type { EgressGuard } from '#runtime/egress-guard.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { MAX_INPUT_BYTES } from '#runtime/policy/try-policy.ts';

/** A thousand names of tools, prompts and resources each. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/** Questions of one tenant at a time; what waits longer than this many answers comes too late. */
const MAX_OPEN_QUESTIONS = 256;

export type RemotePolicies = {
  /** Something to ask in the place of a policy in this process. */
  engineOf(tenantId: string, remote: RemotePolicy): TenantEngine;
};

export type RemotePolicyParts = {
  readonly fetch: EgressGuard['fetch'];
  /** The error is one word that holds nothing of the secret. */
  readonly readSecret: (tenantId: string, name: string) => Promise<Result<Secret, string>>;
  readonly metrics: Metrics;
};

/** In the form of opa-wasm: a list of results, empty where the rule is undefined. */
const resultsIn = (body: string): Result<readonly unknown[], string> => {
  try {
    const document: unknown = JSON.parse(body);
    if (!isJsonObject(document)) return err('the answer is not an object');
    return ok(document['result'] === undefined ? [] : [{ result: document['result'] }]);
  } catch {
    return err('the answer is not JSON');
  }
};

/** Where it is asked, without its path: for logs. */
const revisionOfRemote = ({ url }: RemotePolicy): string => `remote@${new URL(url).host}`;

const authorization = async (
  { readSecret }: RemotePolicyParts,
  tenantId: string,
  { secretName }: RemotePolicy,
): Promise<Result<Readonly<Record<string, string>>, string>> => {
  if (secretName === undefined) return ok({});
  const secret = await readSecret(tenantId, secretName);
  if (!secret.ok) return err(`${secretName}: ${secret.error}`);
  return ok({ authorization: `Bearer ${secret.value.reveal()}` });
};

const post = async (
  parts: RemotePolicyParts,
  {
    tenantId,
    remote,
    name,
  }: { readonly tenantId: string; readonly remote: RemotePolicy; readonly name: string },
  input: string,
): Promise<Result<readonly unknown[], string>> => {
  const credential = await authorization(parts, tenantId, remote);
  if (!credential.ok) return credential;
  try {
    const { status, body } = await parts.fetch(`${remote.url}/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', ...credential.value },
      body: input,
      timeoutMs: remote.timeoutMs,
      maxBytes: MAX_ANSWER_BYTES,
    });
    return status === 200 ? resultsIn(body) : err(`it answers ${status}`);
  } catch (thrown) {
    // The guard's own sentences name a kind of failure and nothing of the request.
    return err(GatewayError.from(thrown).message);
  }
};

export const createRemotePolicies = (parts: RemotePolicyParts): RemotePolicies => {
  const questions = createOpenQuestions(MAX_OPEN_QUESTIONS);
  const time = parts.metrics.duration('remote_policy_seconds', 'Time a remote policy took to answer.', [
    'outcome',
  ]);

  const ask = async <T>(
    place: { readonly tenantId: string; readonly remote: RemotePolicy; readonly name: string },
    input: PolicyInput,
    read: (answer: unknown) => Result<T, string>,
  ): Promise<Result<T, string>> => {
    const text = JSON.stringify({ input });
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_INPUT_BYTES) return err(`input of ${bytes} bytes`);
    const results = await questions.run(place.tenantId, () => post(parts, place, text));
    if (results === undefined) return err('too many questions are open');
    return results.ok ? read(results.value) : results;
  };

  const measured = async <T>(
    work: Promise<Result<T, string>>,
    revision: string,
  ): Promise<Result<T, Deny>> => {
    const begun = performance.now();
    const answer = await work;
    time.observe({ outcome: answer.ok ? 'answered' : 'failed' }, (performance.now() - begun) / 1_000);
    return answer.ok
      ? answer
      : err(deny('policy_failed', { log: { policy: revision, fault: answer.error } }));
  };

  return {
    engineOf: (tenantId, remote) => {
      const revision = revisionOfRemote(remote);
      const place = { tenantId, remote };
      return {
        revision,
        evaluate: (input) => measured(ask({ ...place, name: 'decision' }, input, readDecision), revision),
        visible: (input) => measured(ask({ ...place, name: 'visible' }, input, readVisible), revision),
      };
    },
  };
};
