// The name of an operation, made from its method and path: what generated clients call it. A path that stays keeps its
// name; nobody has to think of one, and no two have the same.

const VERBS: Readonly<Record<string, string>> = {
  PUT: 'put',
  PATCH: 'patch',
  DELETE: 'delete',
  POST: 'post',
};

const singular = (noun: string): string => noun.replace(/ches$/, 'ch').replace(/s$/, '');

const capitalised = (text: string): string =>
  text
    .split('-')
    .map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`)
    .join('');

const isParameter = (segment: string | undefined): boolean => segment?.startsWith(':') ?? false;

/** `PUT /v1/tenants/:tenant/servers/:id/state` is `putServerState`; a GET of several is `list…`, of one `read…`. */
export const operationId = (method: string, path: string): string => {
  // Everything but the tenants themselves belongs to one: saying so each time tells nothing.
  const [, , ...segments] = path.replace(/^\/v1\/tenants\/:tenant\/(?=.)/, '/v1/').split('/');
  const nouns = segments.flatMap((segment, at) => {
    if (isParameter(segment)) return [];
    return [capitalised(isParameter(segments[at + 1]) ? singular(segment) : segment)];
  });
  const last = segments.at(-1) ?? '';
  const isList = !isParameter(last) && last.endsWith('s');
  return `${VERBS[method] ?? (isList ? 'list' : 'read')}${nouns.join('')}`;
};
