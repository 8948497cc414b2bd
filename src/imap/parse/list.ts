/**
 * LIST with all its options (RFC 9051 §6.3.9, RFC 5258, 5819, 6154, 9590).
 *
 * @module
 */
import type { Cursor } from "./cursor.ts";

export const statusItems = [
  "MESSAGES",
  "RECENT",
  "UIDNEXT",
  "UIDVALIDITY",
  "UNSEEN",
  "DELETED",
  "SIZE",
  "APPENDLIMIT",
  "HIGHESTMODSEQ",
  "DELETED-STORAGE",
  "MAILBOXID",
] as const;
export type StatusItem = (typeof statusItems)[number];

/** Patterns of one LIST: each is tried on each name. */
const maxPatterns = 100;

export interface ListArgs {
  reference: string;
  patterns: string[];
  /** The basic form, whose empty pattern asks for the hierarchy delimiter. */
  basic: boolean;
  subscribed: boolean;
  remote: boolean;
  recursive: boolean;
  specialUseOnly: boolean;
  returnSubscribed: boolean;
  returnChildren: boolean;
  returnSpecialUse: boolean;
  returnStatus: StatusItem[];
  /** MYRIGHTS (RFC 8440). */
  returnRights: boolean;
  /** RFC 9590: entries whose values are wanted. */
  returnMetadata: string[];
}

/** Reads "(" items ")" of STATUS. */
export function parseStatusItems(cursor: Cursor): StatusItem[] {
  return [...new Set(cursor.list(() => cursor.oneOf(statusItems, "status item")))];
}

/** Reads what follows LIST and its space. */
export function parseList(cursor: Cursor): ListArgs {
  const a: ListArgs = {
    reference: "",
    patterns: [],
    basic: true,
    subscribed: false,
    remote: false,
    recursive: false,
    specialUseOnly: false,
    returnSubscribed: false,
    returnChildren: false,
    returnSpecialUse: false,
    returnStatus: [],
    returnRights: false,
    returnMetadata: [],
  };
  if (cursor.at("(")) {
    a.basic = false;
    cursor.take("(");
    const start = cursor.pos;
    while (!cursor.take(")")) {
      if (cursor.pos > start) cursor.sp();
      const w = cursor.oneOf(
        ["SUBSCRIBED", "REMOTE", "RECURSIVEMATCH", "SPECIAL-USE"],
        "list selection option",
      );
      if (w === "SUBSCRIBED") a.subscribed = true;
      else if (w === "REMOTE") a.remote = true;
      else if (w === "RECURSIVEMATCH") a.recursive = true;
      else a.specialUseOnly = true;
    }
    // RFC 5258 §3.1: RECURSIVEMATCH needs another option than REMOTE.
    if (a.recursive && !a.subscribed && !a.specialUseOnly) {
      cursor.fail("RECURSIVEMATCH together with another selection option", start);
    }
    cursor.sp();
  }
  a.reference = cursor.mailbox();
  cursor.sp();
  if (cursor.at("(")) {
    a.basic = false;
    a.patterns = cursor.list(() => cursor.listMailbox());
    if (a.patterns.length > maxPatterns) cursor.fail(`at most ${maxPatterns} patterns`);
  } else {
    a.patterns = [cursor.listMailbox()];
  }
  if (cursor.atEnd) return a;
  cursor.sp();
  a.basic = false;
  if (!cursor.takeWord("RETURN")) cursor.fail("RETURN");
  cursor.sp();
  cursor.expect("(");
  const start = cursor.pos;
  while (!cursor.take(")")) {
    if (cursor.pos > start) cursor.sp();
    const w = cursor.oneOf(
      ["SUBSCRIBED", "CHILDREN", "SPECIAL-USE", "STATUS", "METADATA", "MYRIGHTS"],
      "list return option",
    );
    if (w === "SUBSCRIBED") a.returnSubscribed = true;
    else if (w === "CHILDREN") a.returnChildren = true;
    else if (w === "SPECIAL-USE") a.returnSpecialUse = true;
    else if (w === "MYRIGHTS") a.returnRights = true;
    else if (w === "STATUS") {
      cursor.sp();
      a.returnStatus = parseStatusItems(cursor);
    } else {
      cursor.sp();
      a.returnMetadata = cursor.list(() => cursor.astring("entry name"));
    }
  }
  return a;
}

/**
 * A matcher for a pattern with wildcards. Its time is bounded by the square of the name's length, however long
 * the pattern is. The first `caseless` characters of a name fit in upper and lower case.
 */
export function listMatcher(pattern: string): (name: string, caseless?: number) => boolean {
  // Adjacent wildcards act as one: "*" if there is one among them.
  const p = [...pattern.replace(/[*%]{2,}/g, (run) => run.includes("*") ? "*" : "%")];
  const literal = p.reduce((n, c) => c === "*" || c === "%" ? n : n + 1, 0);
  return (name, caseless = 0) => {
    const n = [...name];
    const same = (i: number, c: string) =>
      n[i] === c || (i < caseless && n[i].toLowerCase() === c.toLowerCase());
    if (literal > n.length) return false;
    let row = new Uint8Array(n.length + 1);
    row[0] = 1;
    for (const c of p) {
      const next = new Uint8Array(n.length + 1);
      if (c === "*" || c === "%") {
        let on = 0;
        for (let i = 0; i <= n.length; i++) {
          if (i > 0 && c === "%" && n[i - 1] === "/") on = 0;
          if (row[i]) on = 1;
          next[i] = on;
        }
      } else {
        for (let i = 1; i <= n.length; i++) next[i] = row[i - 1] && same(i - 1, c) ? 1 : 0;
      }
      row = next;
    }
    return row[n.length] === 1;
  };
}
