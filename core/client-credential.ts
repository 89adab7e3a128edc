// How the gateway proves at an identity provider which application it is. Names only: what they stand for lies in files
// of ext-authz.

/**
 * `secret`: one that both sides know. `certificate`: a key of the gateway's own, in the files `name`.key and `name`.crt,
 * which signs and never leaves (RFC 7523 §2.2). `federated`: an assertion that somebody else signs and renews in the file,
 * for a workload identity.
 */
export const CREDENTIAL_KINDS = ['secret', 'certificate', 'federated'] as const;

/** How a secret travels: in the Authorization header, or in the form (RFC 6749 §2.3.1). */
export const SECRET_PLACES = ['basic', 'post'] as const;

/** What a certificate's key signs with. Which ones a provider takes differs: Entra PS256, Okta RS256 and ES256. */
export const ASSERTION_ALGORITHMS = ['PS256', 'RS256', 'ES256'] as const;

export type ClientCredential = {
  readonly kind: (typeof CREDENTIAL_KINDS)[number];
  readonly name: string;
  /** Of a secret; absent: `basic`, which every provider has to take, and `post` at Entra. */
  readonly sentBy?: (typeof SECRET_PLACES)[number];
  /** Of a certificate; absent: PS256, or ES256 of a key on P-256. */
  readonly algorithm?: (typeof ASSERTION_ALGORITHMS)[number];
  /** Of a certificate: `kid` by which the provider knows the key; absent: the certificate's digest says which. */
  readonly keyId?: string;
};

/**
 * An application of the gateway at a provider. Exactly one of `secretName` and `credential` is given; the first is how
 * a secret was named before there was anything else, and still may be.
 */
export type ClientApplication = {
  readonly clientId: string;
  readonly secretName?: string;
  readonly credential?: ClientCredential;
};

/** The credential by either of its names; undefined where an application has none. */
export const credentialOf = ({
  secretName,
  credential,
}: Omit<ClientApplication, 'clientId'>): ClientCredential | undefined =>
  credential ?? (secretName === undefined ? undefined : { kind: 'secret', name: secretName });
