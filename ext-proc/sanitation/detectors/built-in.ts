// The detectors that every gateway has. Their kinds are core/detectors.ts's.

import type { Detector } from '#ext-proc/sanitation/detector.ts';
import { hiddenText } from '#ext-proc/sanitation/detectors/hidden-text.ts';
import { secrets } from '#ext-proc/sanitation/detectors/secrets.ts';

export const BUILT_IN_DETECTORS: readonly Detector[] = [hiddenText, secrets];
