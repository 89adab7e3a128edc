// A façade of the gateway's own before an identity provider that lacks what MCP clients need, as an issuer has one.

/** The façade's own registration at the provider, and whom it lets in. */
export type SignInFacade = {
  readonly clientId: string;
  /** Name of the file with its secret; absent: it is a public client there. */
  readonly secretName?: string;
  /** May hold `{tenantid}`. */
  readonly authorizationEndpoint: string;
  /** May hold `{tenantid}`. */
  readonly tokenEndpoint: string;
  /** Asked for beside what a client asks for, e.g. `offline_access` where refresh tokens need it. */
  readonly scopes: readonly string[];
  /** The provider understands `resource` (RFC 8707) and is sent it. */
  readonly sendsResource: boolean;
  /** Clients may be known by a document at their own address (Client ID Metadata Document). */
  readonly clientDocuments: boolean;
  /** Clients may register themselves (RFC 7591). */
  readonly registration: boolean;
  /**
   * Hosts that documents of clients and their redirect URIs may have: `claude.ai`, or `*.example.com` for every name below.
   * This machine's own (loopback) is always one. Absent: any.
   */
  readonly clientHosts?: readonly string[];
};
