/**
 * Annotations as METADATA answers have them (RFC 5464 §4.4.1).
 *
 * @module
 */
import { type MailboxId, noMailbox } from "../../../store/ids.ts";
import type { Annotation } from "../../../store/mailboxes/annotations.ts";
import { specialUseNames } from "../../../store/types.ts";
import { formatAstring } from "../../format/text.ts";
import type { Account } from "../../../store/account/account.ts";

/** The entry whose value is the mailbox's special uses (RFC 6154 §4). */
export const specialUseEntry = "/private/specialuse";

/** A mailbox's special uses as LIST has them, with spaces between; undefined if there are none. */
function specialUseValue(bits: number): Uint8Array | undefined {
  const uses = specialUseNames.filter(([bit]) => bits & bit).map(([, name]) => name);
  return uses.length > 0 ? new TextEncoder().encode(uses.join(" ")) : undefined;
}

/** The annotations of a mailbox, with the entry of its special uses in its place. */
function annotationsOf(account: Account, mailboxId: MailboxId): Annotation[] {
  const list = account.annotations.list(mailboxId);
  if (mailboxId === noMailbox) return list;
  const kept = list.filter((a) => a.key !== specialUseEntry);
  const value = specialUseValue(account.mailbox(mailboxId)?.specialUse ?? 0);
  if (value) kept.push({ key: specialUseEntry, value });
  return kept.sort((a, b) => a.key < b.key ? -1 : 1);
}

/** Prefix of entries that only the owner of the mailbox sees. */
export const isPrivateEntry = (entry: string) => /^\/private(\/|$)/i.test(entry);

export interface MetadataOptions {
  /** Bytes of a value above which it isn't sent. */
  maxSize?: number;
  /** For anyone but the owner: private entries have no value. */
  sharedOnly?: boolean;
}

/**
 * The requested entries of a mailbox (0: the server), and `depth` levels below, as pieces of an
 * answer. `longest` is the size of the longest value that was left out.
 */
export function metadataText(
  account: Account,
  mailboxId: MailboxId,
  entries: readonly string[],
  depth: number,
  options: MetadataOptions = {},
): { pieces: (string | Uint8Array)[]; longest: number } {
  const list = annotationsOf(account, mailboxId)
    .filter((a) => !options.sharedOnly || !isPrivateEntry(a.key));
  const byKey = new Map(list.map((a) => [a.key, a.value]));
  const pieces: (string | Uint8Array)[] = [];
  let longest = 0;
  const seen = new Set<string>();
  const add = (key: string, value: Uint8Array | undefined) => {
    if (seen.has(key)) return;
    seen.add(key);
    if (value && options.maxSize !== undefined && value.length > options.maxSize) {
      longest = Math.max(longest, value.length);
      return;
    }
    const space = pieces.length > 0 ? " " : "";
    const name = `${space}${formatAstring(key, true)} `;
    if (!value) {
      pieces.push(`${name}NIL`);
    } else if (value.length <= 1000 && value.every((c) => c >= 32 && c < 127)) {
      const text = new TextDecoder().decode(value).replace(/["\\]/g, "\\$&");
      pieces.push(`${name}"${text}"`);
    } else {
      pieces.push(`${name}${value.includes(0) ? "~" : ""}{${value.length}}\r\n`, value);
    }
  };
  for (const e of entries) {
    const key = e.toLowerCase();
    const own = byKey.get(key);
    if (depth === 0 || own) add(key, own);
    if (depth === 0) continue;
    for (const a of list) {
      if (!a.key.startsWith(`${key}/`)) continue;
      if (a.key.slice(key.length + 1).split("/").length <= depth) add(a.key, a.value);
    }
  }
  return { pieces, longest };
}
