// An application that wants a token, as it says of itself. Its name is its own word: people are shown where they would be
// sent, too.

export type Client = {
  /** `client_id`: the address of its document, or what it got when it registered. */
  readonly id: string;
  /** For people; never empty, no longer than `MAX_NAME`. */
  readonly name: string;
  /** Host of its document, which proves that the name is the host's own word; absent: it registered, and nothing is proven. */
  readonly host?: string;
  /** Each judged by `judgeRedirectUri`. */
  readonly redirectUris: readonly string[];
  /** It uses refresh tokens. */
  readonly refreshes: boolean;
};

const MAX_NAME = 80;

/** Invisible signs, and those that turn the direction of text: a name must not rewrite the sentence it stands in. */
const NOT_SHOWN = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** The name as it is shown; empty where it holds nothing that can be. */
export const shownName = (given: unknown): string =>
  typeof given === 'string'
    ? given.replace(NOT_SHOWN, '').replace(/\s+/gu, ' ').trim().slice(0, MAX_NAME).trim()
    : '';
