// The detectors that every gateway has. Their kinds are core/detectors.ts's.

import type { Detector } from '#ext-proc/sanitation/detector.ts';
import { exfiltration } from '#ext-proc/sanitation/detectors/exfiltration.ts';
import { hiddenText } from '#ext-proc/sanitation/detectors/hidden-text.ts';
import { instructions } from '#ext-proc/sanitation/detectors/instructions.ts';
import { pii } from '#ext-proc/sanitation/detectors/pii.ts';
import { secrets } from '#ext-proc/sanitation/detectors/secrets.ts';

export const BUILT_IN_DETECTORS: readonly Detector[] = [hiddenText, instructions, exfiltration, secrets, pii];
