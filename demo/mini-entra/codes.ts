// Authorization codes between the sign-in and the token request: each opens once, within a minute, for the client that asked
// (RFC 6749 §4.1.2) and only to whoever holds the verifier (RFC 7636).

import { createHash, randomBytes } from 'node:crypto';
import type { DemoApplication, DemoUser } from '#demo/directory.ts';

export type CodeFacts = {
  readonly client: DemoApplication;
  readonly user: DemoUser;
  readonly tid: string;
  readonly redirectUri: string;
  /** `code_challenge`, method S256. */
  readonly challenge: string;
  /** As it was asked for. */
  readonly scope: string;
  readonly resource?: string;
  readonly claims?: string;
  readonly nonce?: string;
};

export type Codes = {
  issue(facts: CodeFacts, nowSeconds: number): string;
  /** Without spending it. */
  peek(code: string | undefined): CodeFacts | undefined;
  /** What it stands for, once. */
  redeem(code: string, nowSeconds: number): CodeFacts | undefined;
};

const LIFETIME_SECONDS = 60;

export const createCodes = (): Codes => {
  const open = new Map<string, { readonly facts: CodeFacts; readonly until: number }>();
  return {
    issue: (facts, nowSeconds) => {
      const code = randomBytes(32).toString('base64url');
      open.set(code, { facts, until: nowSeconds + LIFETIME_SECONDS });
      return code;
    },
    peek: (code) => open.get(code ?? '')?.facts,
    redeem: (code, nowSeconds) => {
      const entry = open.get(code);
      open.delete(code);
      return entry !== undefined && entry.until > nowSeconds ? entry.facts : undefined;
    },
  };
};

/** True for the verifier whose S256 challenge this is. */
export const isVerifierOf = (challenge: string, verifier: string | undefined): boolean =>
  verifier !== undefined && createHash('sha256').update(verifier).digest('base64url') === challenge;
