// A request as the endpoints read it. Knows nothing of sockets.

export type Request = {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Without its question mark. */
  readonly query: string;
  readonly cookie: string;
  /** `Origin`; undefined: none was sent. */
  readonly origin: string | undefined;
  /** In lower case, without parameters. */
  readonly mediaType: string;
  readonly body: string;
};
