// Allowed web origins are compared to the Origin header byte by byte, so they must be written as browsers write them.

import type { Rule } from '#registry/commands/rules/rule.ts';

/** RFC 6454 §6.2: scheme, host, port where it is not the default; `null` is no origin anyone could mean. */
const isOrigin = (text: string): boolean =>
  URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text;

export const originRule: Rule = ({ allowedOrigins }) =>
  allowedOrigins.flatMap((origin, index) =>
    isOrigin(origin)
      ? []
      : [
          {
            resource: 'tenant',
            pointer: `/allowedOrigins/${index}`,
            message: 'expected an origin as browsers send it, e.g. https://app.example.com',
          },
        ],
  );
