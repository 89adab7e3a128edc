// Doubles of our own gRPC ports for tests of xds-server: an ext-authz that allows what it is told to, and an ext-proc
// that looks at nothing. What they stand for is tested elsewhere; here Envoy's behaviour around them is.

import type { Json, JsonObject } from '#core/json.ts';
import { loadService } from '#protos/service.ts';
import type { GrpcService } from '#runtime/grpc-server.ts';

export type CheckFacts = {
  readonly tenant: string;
  readonly server: string;
  readonly document: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyBytes: number;
};

/** A version to be routed to, or a refusal. */
export type Verdict =
  | {
      readonly version: string;
      readonly guard?: string;
      readonly id?: number;
      /** Further headers for Envoy, as ext-authz sets them on an allowed call. */
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly status: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> };

type RawCheck = {
  attributes: {
    context_extensions: Record<string, string>;
    request: {
      http: {
        path: string;
        raw_body: Buffer;
        header_map: { headers: { key: string; raw_value: Buffer; value: string }[] } | null;
      };
    };
  };
};

const factsOf = ({ attributes }: RawCheck): CheckFacts => {
  const { http } = attributes.request;
  const { tenant = '', server = '', document = '' } = attributes.context_extensions;
  const entries = (http.header_map?.headers ?? []).map(
    ({ key, raw_value, value }) => [key, value || raw_value.toString()] as const,
  );
  const bodyBytes = http.raw_body.length;
  return { tenant, server, document, path: http.path, headers: Object.fromEntries(entries), bodyBytes };
};

const text = (value: string): Json => ({ stringValue: value });

const responseOf = (verdict: Verdict, { tenant, server }: CheckFacts): JsonObject => {
  if ('status' in verdict) {
    return {
      status: { code: 7 },
      denied_response: {
        status: { code: verdict.status },
        headers: Object.entries(verdict.headers ?? {}).map(([key, value]) => ({ header: { key, value } })),
        body: verdict.body,
      },
      dynamic_metadata: { fields: { guard: text('denied') } },
    };
  }
  return {
    status: { code: 0 },
    ok_response: {
      headers: Object.entries({ 'x-mcpgw-version': verdict.version, ...verdict.headers }).map(
        ([key, value]) => ({ header: { key, value } }),
      ),
    },
    dynamic_metadata: {
      fields: {
        guard: text(verdict.guard ?? 'off'),
        jsonRpcId: { numberValue: verdict.id ?? 41 },
        tenantId: text(tenant),
        serverId: text(server),
      },
    },
  };
};

export const authorizationDouble = (decide: (facts: CheckFacts) => Verdict): GrpcService => ({
  definition: loadService('envoy.service.auth.v3.Authorization'),
  implementation: {
    Check: (call: { request: RawCheck }, done: (error: null, response: JsonObject) => void) => {
      const facts = factsOf(call.request);
      done(null, responseOf(decide(facts), facts));
    },
  },
});

type ProcessCall = {
  on(event: string, listener: (message: { response_headers: object | null }) => void): void;
  write(message: JsonObject): void;
  end(): void;
};

/** Replies to the head of every answer it is shown with what `reply` gives. */
export const processorDouble = (reply: () => JsonObject): GrpcService => ({
  definition: loadService('envoy.service.ext_proc.v3.ExternalProcessor'),
  implementation: {
    Process: (call: ProcessCall) => {
      call.on('data', () => {
        call.write(reply());
      });
      call.on('end', () => call.end());
      call.on('error', () => undefined);
    },
  },
});
