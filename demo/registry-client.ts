// The registry's HTTP API as the seed uses it: what anybody with an admin token could send with curl.

export type RegistryAnswer = {
  readonly status: number;
  readonly etag: string | undefined;
  readonly body: unknown;
};

export type RegistryClient = {
  get(path: string): Promise<RegistryAnswer>;
  /** Creates (`etag` undefined) or replaces what still has that ETag. Throws what the registry said if it refuses. */
  put(path: string, body: unknown, etag: string | undefined): Promise<RegistryAnswer>;
};

const read = async (response: Response): Promise<RegistryAnswer> => ({
  status: response.status,
  etag: response.headers.get('etag') ?? undefined,
  body: await response.json().catch(() => undefined),
});

/** @param options.reason goes into the audit trail with every change */
export const createRegistryClient = (options: {
  readonly url: string;
  readonly token: string;
  readonly reason: string;
}): RegistryClient => {
  const { url, token, reason } = options;
  const authorization = `Bearer ${token}`;
  return {
    get: async (path) => read(await fetch(`${url}${path}`, { headers: { authorization } })),
    put: async (path, body, etag) => {
      const condition: Record<string, string> =
        etag === undefined ? { 'if-none-match': '*' } : { 'if-match': etag };
      const answer = await read(
        await fetch(`${url}${path}`, {
          method: 'PUT',
          headers: {
            authorization,
            'content-type': 'application/json',
            'x-change-reason': reason,
            ...condition,
          },
          body: JSON.stringify(body),
        }),
      );
      if (answer.status >= 300)
        throw new Error(`the registry refused PUT ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer;
    },
  };
};
