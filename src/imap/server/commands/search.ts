/**
 * SEARCH (RFC 9051 §6.4.4, RFC 4731, 5182, 9394), SORT (RFC 5256, 5267), THREAD, ESEARCH (RFC 7377).
 *
 * @module
 */
import { decodeCharset, isKnownCharset } from "../../../mail/charset.ts";
import { searchMailbox } from "../../../store/search.ts";
import { allRights } from "../../../store/rights.ts";
import { formatString } from "../../format/text.ts";
import type { Cursor } from "../../parse/cursor.ts";
import { formatNumSet } from "../../parse/numset.ts";
import { parsePartialRange, type PartialRange, slicePartial } from "../../parse/partial.ts";
import {
  parseSearchKey,
  resolveSearch,
  type SearchContext,
  type SearchKey,
} from "../../parse/search.ts";
import { type Answer, ImapBad, ImapNo } from "../answer.ts";
import { type Command, loggedIn } from "../command.ts";
import { type Place, sharedPlaces } from "../places.ts";
import type { Session } from "../session.ts";
import { State } from "../session.ts";
import {
  formatThreads,
  orderedSubject,
  references,
  type SortKey,
  sortKeys,
  sortUids,
} from "../sorting.ts";

interface ReturnOptions {
  min: boolean;
  max: boolean;
  all: boolean;
  count: boolean;
  save: boolean;
  partial?: PartialRange;
}

function parseReturn(c: Cursor): ReturnOptions {
  const r: ReturnOptions = { min: false, max: false, all: false, count: false, save: false };
  c.expect("(");
  const start = c.pos;
  while (!c.take(")")) {
    if (c.pos > start) c.sp();
    const w = c.oneOf(["MIN", "MAX", "ALL", "COUNT", "SAVE", "PARTIAL"], "search return option");
    if (w === "PARTIAL") {
      c.sp();
      r.partial = parsePartialRange(c);
    } else r[w.toLowerCase() as "min"] = true;
  }
  // RFC 4731 §3.1: "()" is ALL; SAVE alone asks for no answer.
  if (!r.min && !r.max && !r.all && !r.count && !r.save && !r.partial) r.all = true;
  if (r.all && r.partial) c.fail("only one of ALL and PARTIAL", start);
  return r;
}

function searchContext(s: Session): SearchContext & { charset: string } {
  return {
    keys: 0,
    modseq: false,
    sequenceNumbers: false,
    charset: "utf-8",
    decode(bytes) {
      if (this.charset === "utf-8") {
        try {
          return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
        } catch {
          // Some clients send 8-bit text and no charset; latin1 finds at least itself.
          return s.utf8 ? undefined : new TextDecoder("latin1").decode(bytes);
        }
      }
      return decodeCharset(bytes, this.charset);
    },
  };
}

/** A charset; unknown ones are told of once the whole command was read. */
function setCharset(ctx: { charset: string }, name: string): boolean {
  const lower = name.toLowerCase();
  if (lower === "utf-8" || lower === "us-ascii") return true;
  if (!isKnownCharset(lower)) return false;
  ctx.charset = lower;
  return true;
}

function parseKeys(c: Cursor, ctx: SearchContext): SearchKey {
  const keys = [parseSearchKey(c, ctx)];
  while (c.take(" ")) keys.push(parseSearchKey(c, ctx));
  return keys.length === 1 ? keys[0] : { op: "and", keys };
}

/** RFC 6855 §3: with UTF8=ACCEPT everything is UTF-8, and a charset must not be named. */
function refuseCharset(s: Session): void {
  if (s.enabled.has("UTF8=ACCEPT")) throw new ImapBad("no CHARSET after ENABLE UTF8=ACCEPT");
}

const badCharset = () => new ImapNo("charset is not known", "BADCHARSET (US-ASCII UTF-8)");

/** Keeps the client informed of a long search (RFC 9585). */
function progress(s: Session, tag: string): (done: number, total: number) => void {
  let next = performance.now() + 10_000;
  return (done, total) => {
    if (performance.now() < next) return;
    next = performance.now() + 10_000;
    s.untagged(`OK [INPROGRESS (${formatString(tag, false)} ${done} ${total})] searching`);
    s.conn.flush().catch(() => {
      // The command finds out by itself that the connection is gone.
    });
  };
}

async function run(
  s: Session,
  key: SearchKey,
  ctx: SearchContext,
  uid: boolean,
): Promise<{ uids: number[]; modseq: number }> {
  if ((!uid || ctx.sequenceNumbers)) s.requireSequenceNumbers();
  if (ctx.modseq) s.enableCondstore();
  const v = s.selected;
  const node = resolveSearch(key, (set, byUid) => {
    const ranges = v.uidRanges(set, byUid);
    if (!ranges) throw new ImapBad(`there are only ${v.count} messages`);
    return ranges;
  });
  return await searchMailbox(v.account, v.mailboxId, node, {
    uids: v.uids.slice(),
    stopped: () => s.conn.closed,
    progress: progress(s, s.tag),
  });
}

/** The rest of an ESEARCH line: what was asked for of a result, in its order. */
function esearchItems(
  numbers: readonly number[],
  modseq: number | undefined,
  r: ReturnOptions,
  sorted: boolean,
): string {
  let out = "";
  const all = sorted ? (list: readonly number[]) => formatOrder(list) : formatNumSet;
  if (numbers.length > 0) {
    if (r.min) out += ` MIN ${numbers[0]}`;
    if (r.max) out += ` MAX ${numbers[numbers.length - 1]}`;
    if (r.all) out += ` ALL ${all(numbers)}`;
  }
  if (r.count) out += ` COUNT ${numbers.length}`;
  if (r.partial) {
    const part = slicePartial(numbers as number[], r.partial);
    out += ` PARTIAL (${r.partial.label} ${part.length > 0 ? all(part) : "NIL"})`;
  }
  if (modseq !== undefined && numbers.length > 0) out += ` MODSEQ ${modseq}`;
  return out;
}

/** Numbers in an order that isn't ascending, as a set that keeps it (RFC 5267 §3). */
function formatOrder(numbers: readonly number[]): string {
  let out = "";
  for (let i = 0; i < numbers.length;) {
    let end = i + 1;
    while (end < numbers.length && numbers[end] === numbers[end - 1] + 1) end++;
    if (out !== "") out += ",";
    out += end - i > 1 ? `${numbers[i]}:${numbers[end - 1]}` : `${numbers[i]}`;
    i = end;
  }
  return out;
}

function toNumbers(s: Session, uids: readonly number[], uid: boolean): number[] {
  return uid ? uids as number[] : uids.map((u) => s.selected.seqOf(u));
}

/** What SAVE keeps (RFC 5182 §2.1): with MIN or MAX alone just those. */
function saveResult(s: Session, uids: number[], r: ReturnOptions): void {
  if ((r.min || r.max) && !r.all && !r.count && !r.partial) {
    const kept: number[] = [];
    if (r.min && uids.length > 0) kept.push(uids[0]);
    if (r.max && uids.length > 0 && uids[uids.length - 1] !== kept[0]) {
      kept.push(uids[uids.length - 1]);
    }
    s.selected.saved = kept;
  } else {
    s.selected.saved = [...uids].sort((a, b) => a - b);
  }
}

function searchCommand(uid: boolean): Command {
  return {
    name: uid ? "UID SEARCH" : "SEARCH",
    states: State.Selected,
    capabilities: ["ESEARCH", "SEARCHRES", "WITHIN", "PARTIAL"],
    holdsExpunges: !uid,
    parse(c, s) {
      c.sp();
      let options: ReturnOptions | undefined;
      if (c.takeText("RETURN ")) {
        options = parseReturn(c);
        c.sp();
      }
      const ctx = searchContext(s);
      let known = true;
      if (c.takeText("CHARSET ")) {
        refuseCharset(s);
        known = setCharset(ctx, c.astring("charset"));
        c.sp();
      }
      if (!known) {
        // What follows can't be read, so it is not.
        c.pos = c.bytes.length;
        return () => {
          throw badCharset();
        };
      }
      const key = parseKeys(c, ctx);
      return async (): Promise<Answer | void> => {
        // RFC 5182 §2.1: a failed search with SAVE leaves nothing saved.
        const before = s.selected.saved;
        let r: { uids: number[]; modseq: number };
        try {
          r = await run(s, key, ctx, uid);
        } catch (err) {
          s.selected.saved = options?.save ? [] : before;
          throw err;
        }
        const numbers = toNumbers(s, r.uids, uid);
        if (options?.save) saveResult(s, r.uids, options);
        const extended = options !== undefined || s.enabled.has("IMAP4REV2");
        if (!extended) {
          const modseq = ctx.modseq && numbers.length > 0 ? ` (MODSEQ ${r.modseq})` : "";
          s.untagged(`SEARCH${numbers.length > 0 ? ` ${numbers.join(" ")}` : ""}${modseq}`);
          return;
        }
        const o = options ?? { min: false, max: false, all: true, count: false, save: false };
        if (o.save && !o.min && !o.max && !o.all && !o.count && !o.partial) return;
        const items = esearchItems(numbers, ctx.modseq ? r.modseq : undefined, o, false);
        s.untagged(`ESEARCH (TAG ${formatString(s.tag, false)})${uid ? " UID" : ""}${items}`);
      };
    },
  };
}

export const searchBySeq = searchCommand(false);
export const searchByUid = searchCommand(true);

function sortCommand(uid: boolean): Command {
  return {
    name: uid ? "UID SORT" : "SORT",
    states: State.Selected,
    capabilities: ["SORT", "SORT=DISPLAY", "ESORT"],
    holdsExpunges: !uid,
    parse(c, s) {
      c.sp();
      let options: ReturnOptions | undefined;
      if (c.takeText("RETURN ")) {
        options = parseReturn(c);
        c.sp();
      }
      const keys = c.list((): SortKey => {
        const reverse = c.takeWord("REVERSE");
        if (reverse) c.sp();
        return { key: c.oneOf(sortKeys, "sort key"), reverse };
      });
      c.sp();
      const ctx = searchContext(s);
      const known = setCharset(ctx, c.astring("charset"));
      c.sp();
      if (!known) {
        c.pos = c.bytes.length;
        return () => {
          throw badCharset();
        };
      }
      const key = parseKeys(c, ctx);
      return async () => {
        const r = await run(s, key, ctx, uid);
        const sorted = await sortUids(s.selected.account, s.selected.mailboxId, r.uids, keys);
        const numbers = toNumbers(s, sorted, uid);
        if (options?.save) saveResult(s, sorted, options);
        if (!options) {
          const modseq = ctx.modseq && numbers.length > 0 ? ` (MODSEQ ${r.modseq})` : "";
          s.untagged(`SORT${numbers.length > 0 ? ` ${numbers.join(" ")}` : ""}${modseq}`);
          return;
        }
        const items = esearchItems(numbers, ctx.modseq ? r.modseq : undefined, options, true);
        s.untagged(`ESEARCH (TAG ${formatString(s.tag, false)})${uid ? " UID" : ""}${items}`);
      };
    },
  };
}

export const sortBySeq = sortCommand(false);
export const sortByUid = sortCommand(true);

function threadCommand(uid: boolean): Command {
  return {
    name: uid ? "UID THREAD" : "THREAD",
    states: State.Selected,
    capabilities: ["THREAD=ORDEREDSUBJECT", "THREAD=REFERENCES"],
    holdsExpunges: !uid,
    parse(c, s) {
      c.sp();
      const algorithm = c.oneOf(["ORDEREDSUBJECT", "REFERENCES"], "threading algorithm");
      c.sp();
      const ctx = searchContext(s);
      const known = setCharset(ctx, c.astring("charset"));
      c.sp();
      if (!known) {
        c.pos = c.bytes.length;
        return () => {
          throw badCharset();
        };
      }
      const key = parseKeys(c, ctx);
      return async () => {
        const r = await run(s, key, ctx, uid);
        const make = algorithm === "REFERENCES" ? references : orderedSubject;
        const roots = await make(s.selected.account, s.selected.mailboxId, r.uids);
        const text = formatThreads(roots, (u) => uid ? u : s.selected.seqOf(u));
        s.untagged(`THREAD${text === "" ? "" : ` ${text}`}`);
      };
    },
  };
}

export const threadBySeq = threadCommand(false);
export const threadByUid = threadCommand(true);

interface Source {
  kind: string;
  names: string[];
}

/** RFC 7377 §2.2: the mailboxes that a source names. */
async function sourceMailboxes(s: Session, sources: Source[]): Promise<Place[]> {
  const own = s.store.mailboxes().map((mailbox): Place => ({
    account: s.store,
    mailbox,
    name: mailbox.name,
    rights: allRights,
  }));
  // RFC 7377 §2.2: of mailboxes that may not be read nothing is said.
  const all = [...own, ...(await sharedPlaces(s)).filter((p) => p.rights.includes("r"))];
  const subscribed = new Set(s.store.subscriptions());
  const fits = (m: Place): boolean =>
    sources.some(({ kind, names }) => {
      switch (kind) {
        case "SELECTED":
        case "SELECTED-DELAYED":
          return s.view?.shows(m.account, m.mailbox.id) === true;
        case "INBOXES":
          return m.name === "Inbox";
        case "PERSONAL":
          return m.account === s.store;
        case "SUBSCRIBED":
          return subscribed.has(m.name);
        case "SUBTREE":
          return names.some((n) => m.name === n || m.name.startsWith(`${n}/`));
        case "SUBTREE-ONE":
          return names.some((n) =>
            m.name === n ||
            (m.name.startsWith(`${n}/`) && !m.name.slice(n.length + 1).includes("/"))
          );
        default:
          return names.includes(m.name);
      }
    });
  return all.filter(fits);
}

/** ESEARCH of several mailboxes. */
export const multiSearch: Command = {
  name: "ESEARCH",
  states: loggedIn,
  capabilities: ["MULTISEARCH"],
  parse(c, s) {
    c.sp();
    const sources: Source[] = [];
    if (c.takeText("IN (")) {
      do {
        const kind = c.oneOf(
          [
            "SELECTED",
            "SELECTED-DELAYED",
            "INBOXES",
            "PERSONAL",
            "SUBSCRIBED",
            "SUBTREE",
            "SUBTREE-ONE",
            "MAILBOXES",
          ],
          "mailboxes to search",
        );
        const names: string[] = [];
        if (/^(SUBTREE|MAILBOXES)/.test(kind)) {
          c.sp();
          const name = () => {
            const n = c.mailbox();
            return n.toUpperCase() === "INBOX" ? "Inbox" : n;
          };
          if (c.at("(")) names.push(...c.list(name));
          else names.push(name());
        }
        sources.push({ kind, names });
      } while (c.take(" "));
      c.expect(")");
      c.sp();
    } else {
      sources.push({ kind: "SELECTED", names: [] });
    }
    let options: ReturnOptions = { min: false, max: false, all: true, count: false, save: false };
    if (c.takeText("RETURN ")) {
      options = parseReturn(c);
      c.sp();
    }
    const ctx = searchContext(s);
    let known = true;
    if (c.takeText("CHARSET ")) {
      refuseCharset(s);
      known = setCharset(ctx, c.astring("charset"));
      c.sp();
    }
    if (!known) {
      c.pos = c.bytes.length;
      return () => {
        throw badCharset();
      };
    }
    const key = parseKeys(c, ctx);
    return async () => {
      const onlySelected = sources.every((x) => x.kind.startsWith("SELECTED"));
      if (onlySelected && !s.view) throw new ImapBad("no mailbox selected");
      // RFC 7377 §2.1: sequence numbers and saved results have no meaning in several mailboxes.
      if (options.save && !onlySelected) throw new ImapBad("SAVE needs the selected mailbox");
      if (ctx.sequenceNumbers) throw new ImapBad("sequence numbers can't be used here");
      for (const { account, mailbox: m, name } of await sourceMailboxes(s, sources)) {
        const uids = account.uids(m.id);
        const node = resolveSearch(key, (set) => {
          if (set.saved) throw new ImapBad("a saved result can't be used here");
          const highest = uids.length > 0 ? uids[uids.length - 1] : 0;
          return set.ranges.map(([a, b]): [number, number] => {
            const x = a || highest;
            const y = b || highest;
            return x <= y ? [x, y] : [y, x];
          }).sort((p, q) => p[0] - q[0]);
        });
        const r = await searchMailbox(account, m.id, node, {
          uids,
          stopped: () => s.conn.closed,
          progress: progress(s, s.tag),
        });
        if (options.save && s.view) saveResult(s, r.uids, options);
        if (r.uids.length === 0) continue;
        const items = esearchItems(r.uids, ctx.modseq ? r.modseq : undefined, options, false);
        s.untagged(
          `ESEARCH (TAG ${formatString(s.tag, false)} MAILBOX ${
            s.mailboxText(name)
          } UIDVALIDITY ${m.uidValidity}) UID${items}`,
        );
      }
    };
  },
};
