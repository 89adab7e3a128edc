// The form of a rule: it looks at a whole tenant and says which resource is at fault, and where in it.

import type { Tenant } from '#core/tenant.ts';
import type { Fault } from '#registry/commands/outcome.ts';
import type { ResourceName } from '#registry/commands/resources.ts';

export type LocatedFault = Fault & { readonly resource: ResourceName };

/** Must hold in every state of a tenant. Rules about one resource alone are rules too: they are simply local. */
export type Rule = (tenant: Tenant) => readonly LocatedFault[];

/** Values that occur more than once. */
export const repeated = (values: readonly string[]): readonly string[] => [
  ...new Set(values.filter((value, at) => values.indexOf(value) !== at)),
];
