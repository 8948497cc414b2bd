/** Thread/changes (RFC 8621 §3.2). @module */
import {
  changedThreads,
  type Event,
  pointOf,
  threadState,
  threadWasThere,
} from "../../../store/emails/changes.ts";
import { Capability } from "../../core/capabilities.ts";
import { cannotCalculate, changesArgs, changesResponse } from "../../core/changes.ts";
import { defineMethod } from "../../core/method.ts";
import { threadIdOf } from "../../mail/ids.ts";
import { threadSlots } from "../../mail/threads.ts";
import { mailView } from "../../mail/view.ts";

export const threadChanges = defineMethod({
  name: "Thread/changes",
  capability: Capability.Mail,
  args: changesArgs,
  async run(ctx, args) {
    const view = await mailView(await ctx.access(args.accountId));
    const { account, index } = view;
    const now = threadState(account, index);
    const since = pointOf(account, args.sinceState, now);
    if (since === undefined) throw cannotCalculate();
    const events: Event[] = [];
    for (const { threadId, first, last } of changedThreads(account, index, since)) {
      const before = threadWasThere(account, index, threadId, since);
      const order = threadId;
      if (threadSlots(view, threadId).length > 0) {
        events.push(
          before
            ? { order, modseq: last, kind: "updated" }
            : { order, modseq: first, kind: "created" },
        );
      } else if (before) events.push({ order, modseq: last, kind: "destroyed" });
    }
    return changesResponse(args, events, now, threadIdOf);
  },
});
