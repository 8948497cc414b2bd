/** A result of SEARCH or SORT that is kept up to date (RFC 5267). @module */
import type { SearchNode } from "../../../store/search/types.ts";
import type { FetchItem } from "../../parse/fetch.ts";
import type { SortKey } from "../../parse/sort_keys.ts";

/** A result that the client is told of. */
export interface Context {
  /** Of the command that made it. */
  tag: string;
  /** Told in uids, not in sequence numbers. */
  uid: boolean;
  /** Message numbers in it stand for what they did when the search ran. */
  node: SearchNode;
  /** Undefined for the order of the mailbox. */
  keys: readonly SortKey[] | undefined;
  /** Uids in their order. */
  result: number[];
  /** What is sent of new messages that come into it (RFC 5465 §7). */
  items: FetchItem[];
}
