/** What the page knows, and what it shows: read and written by its views. @module */
import type { Filter, Mailbox, Query, Settings, StartEvent, View } from "../api/mod.ts";
import { readAddress } from "./page_address.ts";

/** Messages or threads asked for at a time. */
export const pageCount = 100;

/** State of the page of someone who is logged in. */
export interface PageState {
  /** What the server said first; undefined before that. */
  start: StartEvent | undefined;
  settings: Settings | undefined;
  readonly mailboxes: Map<number, Mailbox>;
  /** The mailbox that is shown; null for all, undefined before one is. */
  openMailbox: number | null | undefined;
  filter: Filter;
  /** Names what is listed: answers for another list are dropped. */
  viewId: number;
}

/** Before the server has said anything. */
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

/** The mailbox that is shown; undefined for all. */
export function shownMailbox(state: PageState): Mailbox | undefined {
  return state.mailboxes.get(state.openMailbox ?? -1);
}

/** What is listed, in the server's words. */
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

/** Labels that people have made. */
export function labelsOf(state: PageState): string[] {
  return [...new Set(ownMailboxes(state).flatMap((m) => m.keywords))]
    .filter((k) => !k.startsWith("$")).sort();
}

/** The mailbox that the page's address names; the inbox if none. */
export function wantedMailbox(state: PageState): number | null {
  const name = readAddress().mailbox;
  const all = [...state.mailboxes.values()];
  return (all.find((m) => m.name === name) ?? all.find((m) => m.name === "Inbox") ?? all[0])
    ?.id ?? null;
}
