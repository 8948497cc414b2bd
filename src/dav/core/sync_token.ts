/** Sync tokens (RFC 6578 §3.2): which database, which collection, and how far. @module */
import type { Groupware } from "../../store/groupware/groupware.ts";
import type { Collection } from "../../store/groupware/types.ts";

const prefix = "data:,mox-sync-";

/** The token of a collection at a modseq. */
export function syncToken(groupware: Groupware, collection: Collection, modseq: number): string {
  return `${prefix}${groupware.epoch}-${collection.id}-${modseq}`;
}

/** The modseq of a token; undefined if it isn't one of this collection. */
export function parseSyncToken(
  groupware: Groupware,
  collection: Collection,
  token: string,
): number | undefined {
  const m = /^data:,mox-sync-(\d{1,16})-(\d{1,16})-(\d{1,16})$/.exec(token.trim());
  if (m === null || Number(m[1]) !== groupware.epoch || Number(m[2]) !== collection.id) {
    return undefined;
  }
  return Number(m[3]);
}
