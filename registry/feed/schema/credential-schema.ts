// The shape of an application at a provider and of its credential (core/client-credential.ts): names of files, never what
// is in them. Which members belong together is judged by the commands.

import { Type } from 'typebox';
import { ASSERTION_ALGORITHMS, CREDENTIAL_KINDS, SECRET_PLACES } from '#core/client-credential.ts';
import { SecretName, ShortText } from '#registry/feed/schema/words.ts';

const CredentialSchema = Type.Object(
  {
    kind: Type.Enum([...CREDENTIAL_KINDS], {
      description:
        'secret: a file. certificate: the files name.key and name.crt. federated: a file with an assertion that somebody else renews.',
    }),
    name: SecretName,
    sentBy: Type.Optional(
      Type.Enum([...SECRET_PLACES], {
        description:
          'Of a secret: in the Authorization header (basic) or in the form (post). Default post at Entra, basic elsewhere.',
      }),
    ),
    algorithm: Type.Optional(
      Type.Enum([...ASSERTION_ALGORITHMS], {
        description: 'Of a certificate. Default PS256, or ES256 of a key on P-256.',
      }),
    ),
    keyId: Type.Optional(
      Type.String({
        pattern: '^[!-~]{1,256}$',
        description: 'Of a certificate: kid by which the provider knows the key.',
      }),
    ),
  },
  { additionalProperties: false },
);

/** One of `secretName` and `credential` is given. */
export const CLIENT_APPLICATION_FIELDS = {
  clientId: ShortText,
  secretName: Type.Optional(SecretName),
  credential: Type.Optional(CredentialSchema),
};
