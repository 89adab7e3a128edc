// Asks an issuer about a token (RFC 7662), through the egress guard: one POST, authenticated with the gateway's own secret,
// bounded in time, size and number. Knows nothing of what an active token may do.

import { type Deny, deny } from '#core/decision.ts';
import { GatewayError } from '#core/gateway-error.ts';
import type { Introspection } from '#core/issuer.ts';
import { err, type Result } from '#core/result.ts';
import type { Secret } from '#core/secret.ts';
import { type IntrospectedClaims, readIntrospection } from '#ext-authz/identity/introspection-answer.ts';
import { createOpenQuestions } from '#ext-authz/open-questions.ts';
import { basicCredential } from '#ext-authz/token/client-authentication.ts';
import type { EgressGuard } from '#runtime/egress-guard.ts';
import type { Metrics } from '#runtime/metrics.ts';

/** Whose secret it is and what it is called; the error is one word that holds nothing of either. */
export type ReadSecret = (tenantId: string, name: string) => Promise<Result<Secret, string>>;

export type IntrospectionQuestion = {
  readonly tenantId: string;
  readonly introspection: Introspection;
  readonly token: Secret;
};

export type Introspector = {
  /**
   * Asks once.
   * @returns what the issuer said, or introspection_unavailable, introspection_credential_refused,
   * introspection_answer_invalid. Never rejects for what the issuer does.
   */
  ask(question: IntrospectionQuestion): Promise<Result<IntrospectedClaims, Deny>>;
};

/** An issuer answers in milliseconds; a caller is not kept waiting longer than this. */
const TIMEOUT_MS = 3_000;

/** Two thousand groups are about this. */
const MAX_ANSWER_BYTES = 256 * 1024;

/**
 * Questions of one tenant to one endpoint at a time. Anybody can send texts that look like tokens, and each costs the issuer
 * a question: beyond this they are refused at once instead of queueing for seconds.
 */
const MAX_OPEN_QUESTIONS = 64;

export const createIntrospector = (options: {
  readonly fetch: EgressGuard['fetch'];
  readonly readSecret: ReadSecret;
  readonly metrics: Metrics;
  readonly maxOpenQuestions?: number;
}): Introspector => {
  const { fetch, readSecret, metrics, maxOpenQuestions = MAX_OPEN_QUESTIONS } = options;
  const asked = metrics.counter('introspections_total', 'Questions to issuers about opaque tokens.', [
    'outcome',
  ]);
  const queue = createOpenQuestions(maxOpenQuestions);

  const post = async ({ introspection, token }: IntrospectionQuestion, secret: Secret) => {
    try {
      const { status, headers, body } = await fetch(introspection.endpoint, {
        method: 'POST',
        headers: {
          accept: 'application/json',
          authorization: basicCredential(introspection.clientId, secret),
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: new URLSearchParams({
          token: token.reveal(),
          token_type_hint: 'access_token',
        }).toString(),
        timeoutMs: TIMEOUT_MS,
        maxBytes: MAX_ANSWER_BYTES,
      });
      return readIntrospection({ status, contentType: headers.get('content-type'), body });
    } catch (thrown) {
      // The guard's own sentences name a kind of failure and nothing of the request.
      const { code, message } = GatewayError.from(thrown);
      return err(deny('introspection_unavailable', { log: { code, error: message } }));
    }
  };

  const askWithSecret = async (
    question: IntrospectionQuestion,
  ): Promise<Result<IntrospectedClaims, Deny>> => {
    const { clientId, secretName } = question.introspection;
    const secret = await readSecret(question.tenantId, secretName);
    if (secret.ok) return post(question, secret.value);
    return err(
      deny('introspection_credential_refused', { log: { clientId, secretName, fault: secret.error } }),
    );
  };

  return {
    ask: async (question) => {
      const key = JSON.stringify([question.tenantId, question.introspection.endpoint]);
      const answer =
        (await queue.run(key, () => askWithSecret(question))) ??
        err(deny('introspection_unavailable', { log: { fault: 'too many open questions' } }));
      const outcome = answer.ok ? (answer.value === undefined ? 'inactive' : 'active') : answer.error.reason;
      asked.inc({ outcome });
      return answer;
    },
  };
};
