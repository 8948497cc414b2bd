/** Shows a mailbox or search results: keeps the list, the page's address and its title together. @module */
import { call } from "../api/client.ts";
import type { Filter, Thread } from "../api/mod.ts";
import { fill } from "../lib/dom.ts";
import { attempt } from "../lib/notify.ts";
import type { BulkBar } from "./list/bulk_bar.ts";
import type { MessageList } from "./list/message_list.ts";
import type { MailboxList } from "./mailboxes/list.ts";
import { leafName } from "./names.ts";
import { setAddress } from "./page_address.ts";
import { pageCount, type PageState, queryOf, shownMailbox, viewOf } from "./page_state.ts";
import type { MessageView } from "./reading/message_view.ts";
import type { SearchBar } from "./search/bar.ts";
import { t } from "../lib/text.ts";

/** The views involved. */
export interface ShowingParts {
  list: MessageList;
  message: MessageView;
  bulk: BulkBar;
  boxes: MailboxList;
  search: SearchBar;
  /** Shows the mailbox's name. */
  place: HTMLElement;
  reconnect: () => void;
}

export interface Showing {
  /** Shows a mailbox (null: all), or what a search finds in it. `keep`: the open message stays open. */
  show(id: number | null, filter: Filter, keep?: boolean): void;
  /** Redraws the mailbox's name and its unread count. */
  drawPlace(): void;
  /** Requests what follows a row. */
  more(anchor: number): void;
  /** Asks for whole threads; none of a view that is no longer shown. */
  whole(threadIds: number[]): Promise<Thread[]>;
}

/** Threads that are asked for at a time. */
const threadsAtOnce = 10;

export function showing(state: PageState, parts: ShowingParts): Showing {
  function show(id: number | null, filter: Filter, keep = false): void {
    state.openMailbox = id;
    state.filter = filter;
    state.viewId++;
    const open = keep ? parts.message.current()?.item.id : undefined;
    parts.list.reset(queryOf(state).threading, open);
    if (!keep) parts.message.showNone(0, []);
    parts.bulk.show(0);
    drawPlace();
    setAddress(shownMailbox(state)?.name ?? "", parts.search.text());
    const { start, viewId } = state;
    if (start === undefined) return;
    attempt(async () => {
      try {
        await call("ViewSet", { sseId: start.sseId, view: viewOf(state, open) });
      } catch (e) {
        // If the connection has just broken, the next one requests this view.
        if (
          viewId === state.viewId && !(e instanceof Error && "code" in e && e.code === "missing")
        ) {
          throw e;
        }
        parts.reconnect();
      }
    });
  }

  function drawPlace(): void {
    const m = shownMailbox(state);
    const name = m === undefined ? t("All mail") : leafName(m.name);
    parts.boxes.setOpen(state.openMailbox ?? null);
    parts.search.setPlace(name);
    fill(parts.place, name);
    document.title = `${m !== undefined && m.unread > 0 ? `(${m.unread}) ` : ""}${name} – ${
      state.start?.loginAddress ?? "mail"
    }`;
  }

  function more(anchor: number): void {
    const { start, viewId } = state;
    if (start === undefined) return;
    attempt(() =>
      call("ViewMore", { sseId: start.sseId, viewId, page: { anchor, count: pageCount } })
    );
  }

  async function whole(threadIds: number[]): Promise<Thread[]> {
    const { start, viewId } = state;
    const threads: Thread[] = [];
    for (let at = 0; at < threadIds.length && start !== undefined; at += threadsAtOnce) {
      const some = threadIds.slice(at, at + threadsAtOnce);
      const found = await call("ViewThreads", { sseId: start.sseId, viewId, threadIds: some });
      if (viewId !== state.viewId) return [];
      threads.push(...found.threads);
    }
    return threads;
  }

  return { show, drawPlace, more, whole };
}
