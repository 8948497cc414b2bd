/** Finding submissions (RFC 8621 §7.3). @module */
import * as v from "valibot";
import { MethodError } from "../../core/errors.ts";
import { type Comparator, meets, readFilter } from "../../core/query.ts";
import { dateMs, utcDate } from "../../core/types.ts";
import { objectId, type StoredObject } from "../../objects/store.ts";
import { readCondition } from "./mailbox_query.ts";
import type { Submission } from "../submissions.ts";

const condition = v.strictObject({
  identityIds: v.optional(v.array(v.string())),
  emailIds: v.optional(v.array(v.string())),
  threadIds: v.optional(v.array(v.string())),
  undoStatus: v.optional(v.string()),
  before: v.optional(utcDate),
  after: v.optional(utcDate),
});
type Condition = v.InferOutput<typeof condition>;

function fits(submission: Submission, c: Condition): boolean {
  return (c.identityIds?.includes(submission.identityId) ?? true) &&
    (c.emailIds?.includes(submission.emailId) ?? true) &&
    (c.threadIds?.includes(submission.threadId) ?? true) &&
    (c.undoStatus === undefined || c.undoStatus === submission.undoStatus) &&
    (c.before === undefined || submission.sendAt < dateMs(c.before)!) &&
    (c.after === undefined || submission.sendAt >= dateMs(c.after)!);
}

const sorts: Record<string, (submission: Submission) => string | number> = {
  emailId: (s) => s.emailId,
  threadId: (s) => s.threadId,
  sentAt: (s) => s.sendAt,
};

/** Ids of the matching ones, in order. @throws MethodError */
export function querySubmissions(
  all: readonly StoredObject<Submission>[],
  q: { filter?: Record<string, unknown> | null; sort?: Comparator[] | null },
): string[] {
  const filter = readFilter(q.filter, (c) => readCondition(condition, c));
  const sort = q.sort ?? [];
  for (const c of sort) {
    if (!Object.hasOwn(sorts, c.property)) {
      throw new MethodError(
        "unsupportedSort",
        `submissions can't be sorted by ${c.property.slice(0, 200)}`,
      );
    }
  }
  return all.filter((s) => meets(filter, (c) => fits(s.value, c))).sort((object, b) => {
    for (const c of sort) {
      const [x, y] = [sorts[c.property](object.value), sorts[c.property](b.value)];
      if (x !== y) return (x < y ? -1 : 1) * (c.isAscending ? 1 : -1);
    }
    return object.id - b.id;
  }).map((s) => objectId("submission", s.id));
}
