/** Mailbox/queryChanges (RFC 8621 §2.4). @module */
import { asMailboxId } from "../../../store/ids.ts";
import * as v from "valibot";
import { Capability } from "../../core/capabilities.ts";
import { defineMethod } from "../../core/method.ts";
import { queryChangesEntries, queryDifference } from "../../core/query.ts";
import { mailboxIdOf } from "../../mail/ids.ts";
import { mailboxChanges } from "../../mail/mailbox_changes.ts";
import { mailboxObjects } from "../../mail/mailbox_object.ts";
import { queryMailboxes } from "../../mail/query/mailbox_query.ts";
import { mailView } from "../../mail/view.ts";

export const mailboxQueryChanges = defineMethod({
  name: "Mailbox/queryChanges",
  capability: Capability.Mail,
  args: v.strictObject({
    ...queryChangesEntries,
    sortAsTree: v.optional(v.nullable(v.boolean())),
    filterAsTree: v.optional(v.nullable(v.boolean())),
  }),
  async run(ctx, args) {
    const view = await mailView(await ctx.access(args.accountId));
    const objects = mailboxObjects(view);
    const now = queryMailboxes(objects, args);
    const c = mailboxChanges(view, args.sinceQueryState);
    // Counts affect neither filter nor sort. Mailboxes below a mailbox move with it.
    const of = (kind: string) =>
      c.events.filter((e) => e.kind === kind).map((e) => mailboxIdOf(asMailboxId(e.order)));
    const moved = new Set(c.countsOnly ? [] : of("updated"));
    const isMoved = (id: string): boolean => {
      for (let at: unknown = id; typeof at === "string"; at = objects.get(at)?.parentId) {
        if (moved.has(at)) return true;
      }
      return false;
    };
    const created = new Set(of("created"));
    const touched = [...of("destroyed"), ...[...objects.keys()].filter(isMoved)];
    return {
      accountId: args.accountId,
      oldQueryState: args.sinceQueryState,
      newQueryState: String(c.now),
      ...args.calculateTotal ? { total: now.length } : {},
      ...queryDifference(now, touched, (i) => created.has(now[i]) || isMoved(now[i]), args),
    };
  },
});
