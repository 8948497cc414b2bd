/**
 * Annotations as METADATA answers have them (RFC 5464 §4.4.1).
 *
 * @module
 */
import type { MailboxId } from "../../../store/ids.ts";
import { formatAstring } from "../../format/text.ts";
import type { Account } from "../../../store/account/account.ts";

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
  const list = account.annotations.list(mailboxId)
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
