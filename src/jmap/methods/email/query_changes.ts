/** Email/queryChanges (RFC 8621 §4.5). @module */
import { goneEmailsSince } from "../../../store/messages/threads.ts";
import * as v from "valibot";
import { covers, emailChanges, emailState, pointOf } from "../../../store/emails/changes.ts";
import { Capability } from "../../core/capabilities.ts";
import { cannotCalculate } from "../../core/changes.ts";
import { defineMethod } from "../../core/method.ts";
import { queryChangesEntries, queryDifference } from "../../core/query.ts";
import { isImmutable, looksAtThreads } from "../../mail/query/email_filter.ts";
import { findEmails, readEmailQuery, resultsOf } from "../../mail/query/email_query.ts";
import { sortsByKeyword, sortsByThread } from "../../mail/query/email_sort.ts";
import { emailIdOf, slotId } from "../../mail/ids.ts";
import { mailView } from "../../mail/view.ts";

export const emailQueryChanges = defineMethod({
  name: "Email/queryChanges",
  capability: Capability.Mail,
  args: v.strictObject({
    ...queryChangesEntries,
    collapseThreads: v.optional(v.nullable(v.boolean())),
  }),
  async run(ctx, args) {
    const query = readEmailQuery(args, ctx.using.has(Capability.SmimeVerify));
    const view = await mailView(await ctx.access(args.accountId));
    const { account, index } = view;
    const now = emailState(account);
    const since = pointOf(account, args.sinceQueryState, now);
    if (since === undefined) throw cannotCalculate();
    const c = emailChanges(account, index, since, Infinity, view.visible);
    const slots = await findEmails(view, query, {
      stopped: () => ctx.signal.aborted,
      trusted: ctx.s.authorities(),
    });
    const touched = new Set([...c.updated, ...c.destroyed].map(emailIdOf));
    const changed = new Set<number>();
    const threads = new Set<number>();
    for (const { emailId } of [...c.created, ...c.updated]) {
      const slot = index.slotOf(emailId);
      if (slot === undefined) continue;
      changed.add(slot);
      threads.add(index.threadId[slot]);
    }
    // If one email represents its thread, or others of it count, all of the thread may have moved.
    if (query.collapseThreads || looksAtThreads(query.filter) || sortsByThread(query.sort)) {
      for (
        const { thread, modseq, emailId } of goneEmailsSince(account.db, since.modseq)
      ) if (!covers(since, modseq, emailId)) threads.add(thread);
      for (const slot of index.hidden()) {
        if (!covers(since, index.modseq[slot], index.emailId[slot])) {
          threads.add(index.threadId[slot]);
        }
      }
      for (const slot of index.inThreads(threads)) {
        changed.add(slot);
        if (covers(since, index.createseq[slot], index.emailId[slot])) {
          touched.add(slotId(index, slot));
        }
      }
    }
    const fixed = isImmutable(query.filter) && !sortsByKeyword(query.sort) &&
      !query.collapseThreads;
    const difference = queryDifference(
      resultsOf(index, slots),
      touched,
      (i) => changed.has(slots[i]),
      { maxChanges: args.maxChanges, upToId: fixed ? args.upToId : null },
    );
    return {
      accountId: args.accountId,
      oldQueryState: args.sinceQueryState,
      newQueryState: String(now),
      ...args.calculateTotal ? { total: slots.length } : {},
      ...difference,
    };
  },
});
