/** The queue: waiting messages and actions on them, past ones, and suppressed addresses. @module */
import type { queueCalls, QueueFilter } from "../../../webmail/admin/api/queue.ts";
import { type Attempt, messageBytes, type QueueItem } from "../../queue/mod.ts";
import { type CallHandlers, HttpError, UserError } from "../http/mod.ts";
import type { PageContext } from "../login/mod.ts";
import type { AdminPageOptions } from "./options.ts";

/** Bytes of a message shown. */
const maxText = 256 * 1024;

const attempt = ({ time, kind, code, enhanced, text, remoteMta }: Attempt) => ({
  time,
  kind,
  code,
  enhanced,
  text,
  remoteMta: remoteMta ?? "",
});

export function queueHandlers(
  options: AdminPageOptions,
): CallHandlers<typeof queueCalls, PageContext> {
  const { config, queue } = options;

  /** Undefined if it has just left the queue. */
  const shown = (item: QueueItem) => {
    const m = queue.message(item.messageId);
    if (m === undefined) return undefined;
    const last = item.results.at(-1);
    return {
      id: item.id,
      account: m.senderAccount,
      from: m.mailFrom,
      to: item.address,
      subject: m.subject,
      size: m.prefix.length + m.fileSize,
      queued: m.queued,
      next: item.nextAttempt,
      attempts: item.attempts,
      hold: item.hold,
      transport: item.transport ?? "",
      requireTls: item.requireTls ?? "" as const,
      last: last === undefined ? null : attempt(last),
    };
  };

  const requireAccount = (name: string) => {
    if (config.account(name) === undefined) throw new UserError(`there is no account ${name}`);
  };

  const someOf = (filter: QueueFilter) => {
    // An action without a filter is probably a mistake, as it would affect everything.
    if (Object.values(filter).every((x) => x === undefined)) {
      throw new UserError("nothing is selected");
    }
    return filter;
  };
  return {
    Queue({ filter, sort, descending, limit }) {
      const found = queue.list(filter, { sort, descending, limit: limit + 1 });
      return {
        items: found.slice(0, limit).flatMap((i) => shown(i) ?? []),
        total: queue.count(),
        more: found.length > limit,
        transports: [...config.static.Transports.keys()],
      };
    },
    async QueueAct({ filter, action }) {
      const items = someOf(filter);
      const run = () => {
        switch (action.do) {
          case "hold":
            return queue.hold(items, true);
          case "release":
            return queue.hold(items, false);
          case "fail":
            return queue.fail(items);
          case "drop":
            return queue.drop(items);
          case "schedule":
            return queue.schedule(items, action.time);
          case "transport":
            if (action.transport !== "" && !config.static.Transports.has(action.transport)) {
              throw new UserError(`there is no transport ${action.transport} in mox.conf`);
            }
            return queue.setTransport(items, action.transport || undefined);
          case "requiretls":
            return queue.setRequireTls(items, action.value || undefined);
        }
      };
      return { count: await run() };
    },
    async QueueMessage({ id }) {
      const [item] = queue.list({ ids: [id] });
      const message = item && queue.message(item.messageId);
      const listed = item && shown(item);
      if (!message || !listed) throw new HttpError(404, "it has left the queue");
      const pieces: Uint8Array[] = [];
      let size = 0;
      for await (const piece of messageBytes(message)) {
        pieces.push(piece.subarray(0, maxText - size));
        size += pieces.at(-1)!.length;
        if (size >= maxText) break;
      }
      const bytes = new Uint8Array(size);
      let at = 0;
      for (const p of pieces) {
        bytes.set(p, at);
        at += p.length;
      }
      return {
        item: listed,
        messageId: message.messageId,
        attempts: item.results.map(attempt),
        text: new TextDecoder().decode(bytes),
        cut: size < message.prefix.length + message.fileSize,
      };
    },
    HoldRules: () => ({
      rules: queue.holdRules().map((rule) => ({
        id: rule.id,
        account: rule.account ?? "",
        senderDomain: rule.senderDomain ?? "",
        recipientDomain: rule.recipientDomain ?? "",
      })),
    }),
    async HoldRuleAdd({ account, senderDomain, recipientDomain }) {
      if (account !== "") requireAccount(account);
      await queue.addHoldRule({
        account: account || undefined,
        senderDomain: senderDomain || undefined,
        recipientDomain: recipientDomain || undefined,
      });
      return {};
    },
    async HoldRuleRemove({ id }) {
      if (!await queue.removeHoldRule(id)) throw new HttpError(404, "the rule is gone already");
      return {};
    },
    Retired: ({ account, limit }) => ({
      items: queue.retired({ account: account || undefined, limit }).map((item) => ({
        id: item.id,
        account: item.account,
        from: item.mailFrom,
        to: item.address,
        subject: item.subject,
        size: item.size,
        queued: item.queued,
        left: item.left,
        keepUntil: item.keepUntil,
        outcome: item.outcome,
        attempts: item.attempts,
        results: item.results.map(attempt),
      })),
      keeping: [...config.dynamic.Accounts].filter(([, a]) => a.KeepRetiredMessagePeriod > 0)
        .map(([name]) => name),
    }),
    Suppressions: () => ({ entries: queue.suppressions() }),
    async SuppressionAdd({ account, address, reason }) {
      requireAccount(account);
      if (!/^[^\s@]+@[^\s@]+$/.test(address)) throw new UserError(`${address} is not an address`);
      const added = await queue.suppress({
        account,
        address,
        manual: true,
        reason: reason || "added by the administrator",
      });
      if (!added) throw new UserError(`${address} is on the list already`);
      return {};
    },
    async SuppressionRemove({ account, address }) {
      if (!await queue.unsuppress(account, address)) {
        throw new UserError(`${address} is not on the list any more`);
      }
      return {};
    },
  };
}
