// An application at a provider has one credential, and the credential has the members of its kind and no others.

import type { ClientApplication, ClientCredential } from '#core/client-credential.ts';
import type { Fault } from '#registry/commands/outcome.ts';
import { issuerName, serverName } from '#registry/commands/resources.ts';
import type { Rule } from '#registry/commands/rules/rule.ts';

/** Members that say something of one kind only. */
const MEMBER_OF = { sentBy: 'secret', algorithm: 'certificate', keyId: 'certificate' } as const;

const judgeMembers = (credential: ClientCredential): readonly Fault[] =>
  (Object.keys(MEMBER_OF) as (keyof typeof MEMBER_OF)[])
    .filter((member) => credential[member] !== undefined && MEMBER_OF[member] !== credential.kind)
    .map((member) => ({
      pointer: `/credential/${member}`,
      message: `is of kind ${MEMBER_OF[member]}, and this is a credential of kind ${credential.kind}`,
    }));

const judgeApplication = ({ secretName, credential }: ClientApplication): readonly Fault[] => {
  if ((secretName === undefined) === (credential === undefined))
    return [{ pointer: '/credential', message: 'either credential or secretName says how it authenticates' }];
  return credential === undefined ? [] : judgeMembers(credential);
};

export const credentialRule: Rule = ({ servers, issuers }) => [
  ...servers.flatMap(({ id, bindings }) =>
    bindings.flatMap(({ oboApplication }, index) =>
      (oboApplication === undefined ? [] : judgeApplication(oboApplication)).map((fault) => ({
        resource: serverName(id),
        pointer: `/bindings/${index}/oboApplication${fault.pointer}`,
        message: fault.message,
      })),
    ),
  ),
  ...issuers.flatMap(({ id, groupLookup }) =>
    (groupLookup === undefined ? [] : judgeApplication(groupLookup)).map((fault) => ({
      resource: issuerName(id),
      pointer: `/groupLookup${fault.pointer}`,
      message: fault.message,
    })),
  ),
];
