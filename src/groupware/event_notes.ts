/**
 * Telling of changes of events: who else sees the calendar can hear of them (jmap-calendars §7). Each write of a
 * person to an event begins one here, and ends it when it is on disk; what is written in bulk is not told.
 *
 * @module
 */
import { wholeOf } from "./guest_view.ts";
import type { Groupware } from "../store/groupware/groupware.ts";
import type { EventAuthor, ObjectRow } from "../store/groupware/types.ts";

/** Who changes an event, and what they say to it. */
export type Author = EventAuthor & { comment?: string };

/** Ends a change: the event as it is now, undefined for one that is gone. */
type Told = (now: ObjectRow | undefined) => Promise<void>;

/** Begins a change of an event. @param before what is there */
export function noting(view: Groupware, by: Author, before: ObjectRow | undefined): Told {
  // Who is told what of a private event is decided for each of them.
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
