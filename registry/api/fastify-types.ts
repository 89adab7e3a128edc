// What our routes and requests carry beside Fastify's own.

import type { Access, Caller } from '#registry/api/auth/roles.ts';
import type { ProblemCode } from '#registry/api/problem.ts';
import type { CommittedChange } from '#registry/api/rollout/committed-change.ts';
import type { ClientCertificate } from '#registry/manifest/client-certificate.ts';
import type { KeyedRequest } from '#registry/store/keyed-request.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route says whom it is for; one that does not is not registered. */
    access?: Access;
    /** The reason of the change may stand in the body instead of its header. */
    reasonInBody?: boolean;
    /** The handler gets the bytes of the body: what is signed must not be parsed before it is verified. */
    rawBody?: boolean;
    /** The request may name itself with an Idempotency-Key and be sent again. */
    keyed?: boolean;
  }
  interface FastifyRequest {
    /** Null on open routes only. */
    caller: Caller | null;
    /** What the request committed, or found committed already; null where it changed no tenant. */
    committed: CommittedChange | null;
    /** The caller's, once established, permitted or not. */
    principal: string | null;
    /** Of the problem that is the answer. */
    problemCode: ProblemCode | null;
    /** Of the connection to our Envoy; null on the door that asks for none. */
    clientCertificate: ClientCertificate | null;
    /** Set while a request that named itself is carried out. */
    keyed: KeyedRequest | null;
  }
}
