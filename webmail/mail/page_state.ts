/** What the page knows and shows: read and written by its views. @module */
import type { Filter, Mailbox, Query, Settings, StartEvent, View } from "../api/mod.ts";
import { readAddress } from "./page_address.ts";

/** Messages or threads per request. */
export const pageCount = 100;

/** State of the page after a login. */
export interface PageState {
  /** The server's first event; undefined before that. */
  start: StartEvent | undefined;
  settings: Settings | undefined;
  readonly mailboxes: Map<number, Mailbox>;
  /** The mailbox being shown; null for all, undefined before the first. */
  openMailbox: number | null | undefined;
  filter: Filter;
  /** Identifies what is listed: answers for another list are dropped. */
  viewId: number;
}

/** The state before the server's first event. */
export function newPageState(): PageState {
  return {
    start: undefined,
    settings: undefined,
    mailboxes: new Map(),
    openMailbox: undefined,
    filter: {},
    viewId: 1,
  };
}

/** The mailbox being shown; undefined for all. */
export function shownMailbox(state: PageState): Mailbox | undefined {
  return state.mailboxes.get(state.openMailbox ?? -1);
}

/** What is listed, as a query for the server. */
export function queryOf(state: PageState): Query {
  return {
    mailboxId: state.openMailbox ?? null,
    withChildren: false,
    filter: state.filter,
    order: state.settings?.order ?? "newest",
    threading: state.settings?.threading ?? "unread",
  };
}

/** The same with its first page. `open`: the message that is open, if any. */
export function viewOf(state: PageState, open?: number): View {
  const page = { anchor: null, count: pageCount, open };
  return { viewId: state.viewId, query: queryOf(state), page };
}

/** The user's own mailboxes. */
export function ownMailboxes(state: PageState): Mailbox[] {
  return [...state.mailboxes.values()].filter((m) => m.shared === undefined);
}

/** Labels that the user has made. */
export function labelsOf(state: PageState): string[] {
  return [...new Set(ownMailboxes(state).flatMap((m) => m.keywords))]
    .filter((k) => !k.startsWith("$")).sort();
}

/** The mailbox named in the page's address; the inbox if none. */
export function wantedMailbox(state: PageState): number | null {
  const name = readAddress().mailbox;
  const all = [...state.mailboxes.values()];
  return (all.find((m) => m.name === name) ?? all.find((m) => m.name === "Inbox") ?? all[0])
    ?.id ?? null;
}
