/**
 * Tags of caught messages. They are keywords of the store, so that IMAP clients see and search them too:
 * `tag:` and the name, with characters that keywords can't have written as `=` and two hexadecimal digits, and
 * `^` before what is a capital letter.
 *
 * @module
 */

import type { Account } from "../../store/account/account.ts";
import type { MailboxId } from "../../store/ids.ts";

const prefix = "tag:";
/** Characters of a tag's name. */
const maxTag = 100;

/** A tag's name in its usual form; undefined if it can't be one: letters, digits, blanks, `-`, `.`, `_`, `@`. */
export function cleanTag(text: string): string | undefined {
  const name = text.trim().replaceAll(/\s+/g, " ");
  if (name === "" || name.length > maxTag || !/^[\p{L}\p{N} \-._@+/]+$/u.test(name)) {
    return undefined;
  }
  return name;
}

/** The keyword of a tag. */
export function tagKeyword(tag: string): string {
  let text = prefix;
  for (const c of tag) {
    if (/^[a-z0-9.\-@+/]$/.test(c)) text += c;
    else if (/^[A-Z]$/.test(c)) text += `^${c.toLowerCase()}`;
    else {
      for (const b of new TextEncoder().encode(c)) text += `=${b.toString(16).padStart(2, "0")}`;
    }
  }
  return text;
}

/** The tag of a keyword; undefined for other keywords. */
export function tagOf(keyword: string): string | undefined {
  if (!keyword.startsWith(prefix)) return undefined;
  const bytes: number[] = [];
  for (let i = prefix.length; i < keyword.length; i++) {
    const c = keyword[i];
    if (c === "^" && i + 1 < keyword.length) bytes.push(keyword[++i].toUpperCase().charCodeAt(0));
    else if (c === "=" && /^[0-9a-f]{2}$/.test(keyword.slice(i + 1, i + 3))) {
      bytes.push(Number.parseInt(keyword.slice(i + 1, i + 3), 16));
      i += 2;
    } else bytes.push(keyword.charCodeAt(i) & 0x7f);
  }
  return new TextDecoder().decode(new Uint8Array(bytes));
}

/** The tags among keywords, in the order of their names. */
export function tagsOf(keywords: readonly string[]): string[] {
  return keywords.flatMap((k) => tagOf(k) ?? []).sort((a, b) => a.localeCompare(b, "en"));
}

/** Keywords that a tag may have: names are case-insensitive. */
export function keywordsLike(keywords: Iterable<string>, tag: string): string[] {
  const wanted = tag.toLowerCase();
  return [...keywords].filter((k) => tagOf(k)?.toLowerCase() === wanted);
}

/**
 * Tags of a message on arrival: after "+" in its recipients' localparts, in its field X-Tags, and the login name
 * of its program.
 */
export function tagsBrought(
  recipients: readonly string[],
  xTags: string | undefined,
  username: string,
): string[] {
  const names = recipients.flatMap((r) => {
    const localpart = r.slice(0, r.lastIndexOf("@"));
    const plus = localpart.indexOf("+");
    return plus < 0 ? [] : localpart.slice(plus + 1).split("+");
  });
  names.push(...(xTags ?? "").split(","), username);
  const tags = names.flatMap((n) => cleanTag(n) ?? []);
  // One message must not fill a mailbox with keywords.
  return [...new Map(tags.map((t) => [t.toLowerCase(), t])).values()].slice(0, 20);
}

/** Forgets the tags of mailboxes that none of their messages has. */
export async function forgetUnusedTags(
  places: Iterable<{ account: Account; mailboxId: MailboxId }>,
): Promise<void> {
  const seen = new Map<Account, Set<MailboxId>>();
  for (const { account, mailboxId } of places) {
    const ids = seen.get(account) ?? new Set();
    seen.set(account, ids.add(mailboxId));
  }
  for (const [account, ids] of seen) {
    for (const id of ids) {
      await account.forgetUnusedKeywords(id, (keyword) => tagOf(keyword) !== undefined);
    }
  }
}
