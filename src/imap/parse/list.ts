/**
 * LIST with all it may have (RFC 9051 §6.3.9, RFC 5258, 5819, 6154, 9590).
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
export function parseStatusItems(c: Cursor): StatusItem[] {
  return [...new Set(c.list(() => c.oneOf(statusItems, "status item")))];
}

/** Reads what follows LIST and its space. */
export function parseList(c: Cursor): ListArgs {
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
  if (c.at("(")) {
    a.basic = false;
    c.take("(");
    const start = c.pos;
    while (!c.take(")")) {
      if (c.pos > start) c.sp();
      const w = c.oneOf(
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
      c.fail("RECURSIVEMATCH together with another selection option", start);
    }
    c.sp();
  }
  a.reference = c.mailbox();
  c.sp();
  if (c.at("(")) {
    a.basic = false;
    a.patterns = c.list(() => c.listMailbox());
    if (a.patterns.length > maxPatterns) c.fail(`at most ${maxPatterns} patterns`);
  } else {
    a.patterns = [c.listMailbox()];
  }
  if (c.atEnd) return a;
  c.sp();
  a.basic = false;
  if (!c.takeWord("RETURN")) c.fail("RETURN");
  c.sp();
  c.expect("(");
  const start = c.pos;
  while (!c.take(")")) {
    if (c.pos > start) c.sp();
    const w = c.oneOf(
      ["SUBSCRIBED", "CHILDREN", "SPECIAL-USE", "STATUS", "METADATA", "MYRIGHTS"],
      "list return option",
    );
    if (w === "SUBSCRIBED") a.returnSubscribed = true;
    else if (w === "CHILDREN") a.returnChildren = true;
    else if (w === "SPECIAL-USE") a.returnSpecialUse = true;
    else if (w === "MYRIGHTS") a.returnRights = true;
    else if (w === "STATUS") {
      c.sp();
      a.returnStatus = parseStatusItems(c);
    } else {
      c.sp();
      a.returnMetadata = c.list(() => c.astring("entry name"));
    }
  }
  return a;
}

/**
 * A matcher for a pattern with wildcards. Its time is bounded by the square of the name's length, however long
 * the pattern is.
 */
export function listMatcher(pattern: string): (name: string) => boolean {
  // Wildcards next to each other are as one of them, "*" if that is among them.
  const p = [...pattern.replace(/[*%]{2,}/g, (run) => run.includes("*") ? "*" : "%")];
  const literal = p.reduce((n, c) => c === "*" || c === "%" ? n : n + 1, 0);
  return (name) => {
    const n = [...name];
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
        for (let i = 1; i <= n.length; i++) next[i] = row[i - 1] && n[i - 1] === c ? 1 : 0;
      }
      row = next;
    }
    return row[n.length] === 1;
  };
}
