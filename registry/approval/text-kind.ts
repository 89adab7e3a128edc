// What a changed text is: prose, or something that makes a model act. The detectors are those of the lint, and what it
// only warns of waits for a person here.

import type { DifferenceKind } from '#registry/approval/difference.ts';
import { linksIn } from '#registry/approval/links.ts';
import { hiddenIn } from '#registry/manifest/lint/hidden-text.ts';
import { instructionsIn } from '#registry/manifest/lint/instruction-text.ts';

export type TextChange = {
  /** Empty: there was none. */
  readonly before: string;
  /** Empty: there is none any more. */
  readonly after: string;
  /** Names of the tools beside the one whose text it is. */
  readonly otherTools: ReadonlySet<string>;
};

/** `search` is a word of any sentence; `search_issues` and `searchIssues` can only mean the tool. */
const isUnmistakable = (name: string): boolean => /[_.-]|[a-z][A-Z]/.test(name);

const mentionsIn = (text: string, names: ReadonlySet<string>): ReadonlySet<string> =>
  new Set(
    (text.match(/[A-Za-z0-9_.-]+/g) ?? [])
      .map((word) => word.replace(/[.-]+$/, ''))
      .filter((word) => isUnmistakable(word) && names.has(word)),
  );

const isNew = (after: ReadonlySet<string>, before: ReadonlySet<string>): boolean =>
  [...after].some((item) => !before.has(item));

/** What the new text is; undefined: prose. A text that gives orders is judged anew with every change of it. */
export const riskOf = ({ before, after, otherTools }: TextChange): DifferenceKind | undefined => {
  if (hiddenIn(after).length > 0) return 'hidden-text';
  if (instructionsIn(after).length > 0) return 'instruction';
  // Names first: `issues.read` reads like a host and is the name of a tool.
  if (isNew(mentionsIn(after, otherTools), mentionsIn(before, otherTools))) return 'tool-reference';
  return isNew(linksIn(after), linksIn(before)) ? 'link' : undefined;
};
