// How large a regular expression becomes once its counts are written out, told from its text: RE2 would find out by
// building it, which takes seconds for `(…){1000}` around a few hundred characters.

/** An escape, a class, a bracket, a count; anything else is one character. */
const TOKEN = /\\.|\[(?:\\.|[^\]\\])*\]|\{(\d{1,9})(,?)(\d{0,9})\}|./gs;

const timesOf = ([, least, open, most]: RegExpMatchArray): number =>
  most === '' || most === undefined ? Number(least) + (open === ',' ? 1 : 0) : Number(most);

/** About how many instructions it takes. Whether it is a regular expression at all is for others to find. */
export const expandedSize = (source: string): number => {
  const open: number[] = [];
  let [size, last] = [0, 0];
  for (const token of source.matchAll(TOKEN)) {
    if (token[0] === '(') {
      open.push(size);
      size = 0;
    } else if (token[0] === ')') {
      last = size;
      size += open.pop() ?? 0;
    } else if (token[1] === undefined) {
      last = 1;
      size += last;
    } else {
      const times = timesOf(token);
      size += last * (times - 1);
      last *= times;
    }
  }
  return size + open.reduce((sum, part) => sum + part, 0);
};
