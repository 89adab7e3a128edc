// Allowed web origins are compared to the Origin header byte by byte, so they must be written as browsers write them.

import { isOrigin } from '#registry/commands/rules/origin.ts';
import type { Rule } from '#registry/commands/rules/rule.ts';

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
