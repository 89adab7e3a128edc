// A credential as its files are now. Read anew for every exchange, which is rare: what was renewed is used at once, and a
// certificate whose key is not its own (the moment between two files) is used by nobody.

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { ASSERTION_ALGORITHMS, ClientCredential, SECRET_PLACES } from '#core/client-credential.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Secret } from '#core/secret.ts';
import type { SecretFault, SecretStore } from '#runtime/secret-files.ts';

export type SigningCredential = {
  readonly kind: 'certificate';
  readonly key: KeyObject;
  readonly certificate: X509Certificate;
  readonly algorithm: (typeof ASSERTION_ALGORITHMS)[number];
  readonly keyId?: string;
};

export type LoadedCredential =
  | {
      readonly kind: 'secret';
      readonly secret: Secret;
      readonly sentBy: (typeof SECRET_PLACES)[number] | undefined;
    }
  | SigningCredential
  | { readonly kind: 'federated'; readonly assertion: Secret };

export type CredentialFault =
  | SecretFault
  | 'key_unreadable'
  | 'certificate_unreadable'
  | 'key_of_another_certificate'
  | 'algorithm_not_of_key'
  | 'not_an_assertion';

/** Three parts of base64url: the form of a signed JWT. Whether it is a good one is the provider's to say. */
const JWT_FORM = /^[\w-]+\.[\w-]+\.[\w-]+$/;

const attempt = <Value>(read: () => Value): Value | undefined => {
  try {
    return read();
  } catch {
    // A parser's words may quote what it read.
    return undefined;
  }
};

/** What the key can sign with, in the order of preference. */
const algorithmsOf = (key: KeyObject): readonly SigningCredential['algorithm'][] => {
  if (key.asymmetricKeyType === 'rsa') return ['PS256', 'RS256'];
  return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? ['ES256'] : [];
};

const pairUp = (
  pem: { readonly key: Secret; readonly certificate: Secret },
  { algorithm, keyId }: ClientCredential,
): Result<SigningCredential, CredentialFault> => {
  const key = attempt(() => createPrivateKey(pem.key.reveal()));
  if (key === undefined) return err('key_unreadable');
  const certificate = attempt(() => new X509Certificate(pem.certificate.reveal()));
  if (certificate === undefined) return err('certificate_unreadable');
  if (!certificate.checkPrivateKey(key)) return err('key_of_another_certificate');
  const chosen = algorithmsOf(key).find((known) => algorithm === undefined || known === algorithm);
  if (chosen === undefined) return err('algorithm_not_of_key');
  const named = keyId === undefined ? {} : { keyId };
  return ok({ kind: 'certificate', key, certificate, algorithm: chosen, ...named });
};

const loadCertificate = async (
  read: (name: string) => ReturnType<SecretStore['read']>,
  named: ClientCredential,
): Promise<Result<SigningCredential, CredentialFault>> => {
  const key = await read(`${named.name}.key`);
  if (!key.ok) return key;
  const certificate = await read(`${named.name}.crt`);
  return certificate.ok ? pairUp({ key: key.value, certificate: certificate.value }, named) : certificate;
};

/** The credential of a tenant's application; the error is one word that holds nothing of a file. */
export const loadCredential = async (
  secrets: SecretStore,
  tenantId: string,
  credential: ClientCredential,
): Promise<Result<LoadedCredential, CredentialFault>> => {
  const read = (name: string) => secrets.read(tenantId, name);
  if (credential.kind === 'certificate') return loadCertificate(read, credential);
  const text = await read(credential.name);
  if (!text.ok) return text;
  if (credential.kind === 'secret')
    return ok({ kind: 'secret', secret: text.value, sentBy: credential.sentBy });
  return JWT_FORM.test(text.value.reveal())
    ? ok({ kind: 'federated', assertion: text.value })
    : err('not_an_assertion');
};
