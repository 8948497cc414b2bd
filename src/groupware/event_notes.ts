/**
 * Notifications of changes of events for others who see the calendar (jmap-calendars §7). Each write of a user
 * to an event begins one here, and ends it when it is on disk; bulk writes are not reported.
 *
 * @module
 */
import { wholeOf } from "./guest_view.ts";
import type { Groupware } from "../store/groupware/groupware.ts";
import type { EventAuthor, ObjectRow } from "../store/groupware/types.ts";

/** The author of a change, and their comment. */
export type Author = EventAuthor & { comment?: string };

/** Ends a change: the event as it is now, undefined for one that is gone. */
type Told = (now: ObjectRow | undefined) => Promise<void>;

/** Begins a change of an event. @param before the existing event */
export function noting(view: Groupware, by: Author, before: ObjectRow | undefined): Told {
  // What each user learns of a private event is decided per user.
  const g = wholeOf(view);
  const tell = g.onEventChange;
  if (tell === undefined) return () => Promise.resolve();
  const heard = (collectionId: number) => !by.owner || g.grants(collectionId).length > 0;
  const was = before?.component === "VEVENT" && heard(before.collectionId)
    ? g.content(before.id)
    : undefined;
  return async (now) => {
    const row = now ?? before;
    if (row?.component !== "VEVENT") return;
    const { comment = "", ...author } = by;
    const readers = heard(row.collectionId) ? g.grants(row.collectionId).map((x) => x.account) : [];
    const after = now && (readers.length > 0 || !by.owner) ? g.content(now.id) : undefined;
    if (before && now && before.etag === now.etag && before.collectionId === now.collectionId) {
      return;
    }
    await tell({
      id: row.id,
      collectionId: row.collectionId,
      wasIn: before?.collectionId,
      readers,
      by: author,
      comment,
      kind: before === undefined ? "created" : now === undefined ? "destroyed" : "updated",
      before: was,
      after,
    });
  };
}
