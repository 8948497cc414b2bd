/** The If header of WebDAV (RFC 4918 §10.4): lists of etags and state tokens. There are no locks. @module */
import { DavError } from "./errors.ts";

interface Test {
  not: boolean;
  token?: string;
  etag?: string;
}

/** A list with its resource; undefined for the request's own. */
interface List {
  resource: string | undefined;
  tests: Test[];
}

/** Most lists of conditions in an If header (RFC 4918 §10.4). */
const maxLists = 100;

function parse(text: string): List[] {
  const lists: List[] = [];
  let at = 0;
  let resource: string | undefined;
  const wrong = () => new DavError(400, "the If header can't be read");
  const blanks = () => {
    while (text[at] === " " || text[at] === "\t") at++;
  };
  const upTo = (end: string): string => {
    const to = text.indexOf(end, at);
    if (to < 0) throw wrong();
    const s = text.slice(at, to);
    at = to + 1;
    return s;
  };
  for (blanks(); at < text.length; blanks()) {
    if (lists.length >= maxLists) throw wrong();
    const c = text[at++];
    if (c === "<") {
      resource = upTo(">");
      continue;
    }
    if (c !== "(") throw wrong();
    const tests: Test[] = [];
    for (blanks(); text[at] !== ")"; blanks()) {
      let not = false;
      if (/^not\b/i.test(text.slice(at, at + 4))) {
        not = true;
        at += 3;
        blanks();
      }
      const open = text[at++];
      if (open === "<") tests.push({ not, token: upTo(">") });
      else if (open === "[") tests.push({ not, etag: upTo("]").trim() });
      else throw wrong();
    }
    at++;
    if (tests.length === 0) throw wrong();
    lists.push({ resource, tests });
  }
  return lists;
}

/**
 * Whether a request may proceed.
 * @param state etag (without quotes) and state tokens of a resource, by its address
 */
export async function ifHolds(
  header: string,
  state: (resource: string | undefined) => Promise<{ etag: string | undefined; tokens: string[] }>,
): Promise<boolean> {
  const lists = parse(header);
  if (lists.length === 0) return true;
  for (const list of lists) {
    const { etag, tokens } = await state(list.resource);
    const holds = list.tests.every((test) => {
      const is = test.token !== undefined
        ? tokens.includes(test.token)
        : test.etag !== undefined && etag !== undefined && test.etag === `"${etag}"`;
      return is !== test.not;
    });
    if (holds) return true;
  }
  return false;
}
