// Refresh tokens of the code flow. As at Entra each stays good beside the ones that come after it; they end with the
// process, or when the person's sessions are ended.

import { randomBytes } from 'node:crypto';
import type { CodeFacts } from '#demo/mini-entra/codes.ts';

export type SignedIn = { readonly facts: CodeFacts; readonly atSeconds: number };

export type RefreshTokens = {
  issue(signedIn: SignedIn): string;
  find(token: string | undefined): SignedIn | undefined;
};

export const createRefreshTokens = (): RefreshTokens => {
  const open = new Map<string, SignedIn>();
  return {
    issue: (signedIn) => {
      const token = `1.${randomBytes(48).toString('base64url')}`;
      open.set(token, signedIn);
      return token;
    },
    find: (token) => open.get(token ?? ''),
  };
};
