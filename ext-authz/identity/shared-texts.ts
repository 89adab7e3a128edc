// Texts that many tokens say alike, above all ids of groups: kept once for all who say them. A hundred thousand remembered
// tokens of a hundred groups each would hold more than half a gigabyte of ids, and a directory has a few thousand.

import type { Identity } from '#core/identity.ts';

/** Of either kind. When so many are known it begins anew; whoever holds one goes on holding it. */
const MAX_KNOWN = 50_000;

/** Characters. Longer texts are no ids, and longer lists seldom the same: they are not looked for. */
const MAX_LENGTH = 512;

const createPool = <T>() => {
  const known = new Map<string, T>();
  return (key: string, value: T): T => {
    if (key.length > MAX_LENGTH) return value;
    const shared = known.get(key);
    if (shared !== undefined) return shared;
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(key, value);
    return value;
  };
};

const texts = createPool<string>();
const lists = createPool<readonly string[]>();

const shareText = (text: string): string => texts(text, text);

/** A list of the same texts in the same order, and for equal lists the very same as long as it is known. */
const shareList = (list: readonly string[]): readonly string[] => {
  const shared = list.map(shareText);
  return lists(JSON.stringify(shared), shared);
};

/** The same identity, in texts and lists that are those of others too. They are never edited. */
export const shareIdentity = (identity: Identity): Identity => ({
  ...identity,
  issuer: shareText(identity.issuer),
  audience: shareText(identity.audience),
  groups: shareList(identity.groups),
  roles: shareList(identity.roles),
  scopes: shareList(identity.scopes),
  assurance: shareList(identity.assurance),
  ...(identity.app === undefined ? {} : { app: shareText(identity.app) }),
});
