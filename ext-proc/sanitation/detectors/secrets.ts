// Finds credentials: private keys, tokens by their issuers' forms, values that stand under a name such as `password`.

import { DETECTOR_KINDS } from '#core/detectors.ts';
import type { Detector, Finding } from '#ext-proc/sanitation/detector.ts';
import { ISSUED_TOKENS } from '#ext-proc/sanitation/detectors/secrets/issuers.ts';
import { findNamedValues } from '#ext-proc/sanitation/detectors/secrets/named-values.ts';
import { findPrivateKeys } from '#ext-proc/sanitation/detectors/secrets/private-keys.ts';
import { findTokens } from '#ext-proc/sanitation/detectors/secrets/token-rules.ts';

export const secrets: Detector = {
  name: 'secrets',
  kinds: DETECTOR_KINDS.secrets,
  scan: (text) => {
    const findings: Finding[] = [];
    findPrivateKeys(text, findings);
    findTokens(text, ISSUED_TOKENS, findings);
    findNamedValues(text, findings);
    return findings;
  },
};
