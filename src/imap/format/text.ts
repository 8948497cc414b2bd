/**
 * Values as IMAP writes them.
 *
 * @module
 */
import { allFlags, flagNames } from "../../store/types.ts";
import { encodeUtf7 } from "../../mail/text/utf7.ts";

const encoder = new TextEncoder();

/** A string, quoted where it can be: no line ends, no NUL, not long; else a literal. */
export function formatString(s: string, utf8: boolean): string {
  let plain = s.length <= 1000;
  for (let i = 0; plain && i < s.length; i++) {
    const c = s.charCodeAt(i);
    if (c === 0 || c === 10 || c === 13 || (c > 126 && !utf8)) plain = false;
  }
  if (plain) return `"${s.replace(/["\\]/g, "\\$&")}"`;
  s = s.replaceAll("\0", "");
  return `{${encoder.encode(s).length}}\r\n${s}`;
}

/** An astring: an atom where it can be one. */
export function formatAstring(s: string, utf8: boolean): string {
  return /^[A-Za-z0-9!#$&'+,./:;<=>?@^_`|~\]-]+$/.test(s) && s.toUpperCase() !== "NIL"
    ? s
    : formatString(s, utf8);
}

/** A mailbox name, in UTF-8 or modified UTF-7. */
export function formatMailbox(name: string, utf8: boolean): string {
  if (name === "Inbox") return "INBOX";
  if (name.startsWith("Inbox/")) name = "INBOX" + name.slice(5);
  return utf8 ? formatAstring(name, true) : formatAstring(encodeUtf7(name), false);
}

const pair = (n: number) => n < 10 ? `0${n}` : `${n}`;
const pairs = Array.from({ length: 60 }, (_, n) => pair(n));
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const dayMs = 86_400_000;
let lastDay = NaN;
let lastDayText = "";

/** Milliseconds as date-time in quotes, in UTC. */
export function formatDateTime(ms: number): string {
  const day = Math.floor(ms / dayMs);
  // Neighbouring messages mostly share a day.
  if (day !== lastDay) {
    const d = new Date(ms);
    const year = String(d.getUTCFullYear()).padStart(4, "0");
    lastDayText = `"${pair(d.getUTCDate())}-${months[d.getUTCMonth()]}-${year} `;
    lastDay = day;
  }
  const s = Math.floor((ms - day * dayMs) / 1000);
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return `${lastDayText}${pairs[h]}:${pairs[m]}:${pairs[s % 60]} +0000"`;
}

/** \Recent (RFC 3501 §2.3.2), added to a message's stored flags; the store has no bit for it, as each session has its own. */
export const recentBit = allFlags + 1;

const flagTexts: string[] = [];
/**
 * Flags of a message, without brackets.
 * @param spelled spelling to show, by stored keyword
 */
export function formatFlags(
  flags: number,
  keywords: string,
  spelled?: ReadonlyMap<string, string>,
): string {
  let t = flagTexts[flags];
  if (t === undefined) {
    const names = flagNames.filter(([bit]) => flags & bit).map(([, name]) => name);
    if (flags & recentBit) names.push("\\Recent");
    t = names.join(" ");
    flagTexts[flags] = t;
  }
  if (keywords !== "" && spelled) {
    keywords = keywords.split(" ").map((k) => spelled.get(k) ?? k).join(" ");
  }
  return keywords === "" ? t : t === "" ? keywords : `${t} ${keywords}`;
}
