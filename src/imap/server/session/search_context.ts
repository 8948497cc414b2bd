/** A result of SEARCH or SORT that is kept up to date (RFC 5267). @module */
import type { SearchNode } from "../../../store/search/types.ts";
import type { FetchItem } from "../../parse/fetch.ts";
import type { SortKey } from "../../parse/sort_keys.ts";

/** A result whose changes are reported to the client. */
export interface Context {
  /** Tag of the command that created it. */
  tag: string;
  /** Reported in uids, not in sequence numbers. */
  uid: boolean;
  /** Message numbers in it keep the meaning they had when the search ran. */
  node: SearchNode;
  /** Undefined for the order of the mailbox. */
  keys: readonly SortKey[] | undefined;
  /** Uids in their order. */
  result: number[];
  /** Items to send for new messages that join it (RFC 5465 §7). */
  items: FetchItem[];
}
