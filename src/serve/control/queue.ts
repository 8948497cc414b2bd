/** Commands on the queue, over the control socket. @module */
import type { Config } from "../../config/mod.ts";
import { normalizeName } from "../../dns/mod.ts";
import { messageBytes, type Queue, type QueueFilter, type QueueOrder } from "../../queue/mod.ts";
import { ControlError, type ControlHandler, type Json } from "./control.ts";

/** Bytes of a message that are sent at a time. */
const dumpPiece = 256 * 1024;

type Fields = Record<string, Json>;
const fieldsOf = (args: Json) => (args ?? {}) as Fields;

/** A text field, or undefined. */
function text(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw new ControlError(`${name} is not text`);
  return value;
}

/** The name of a domain, or undefined. */
function domain(fields: Fields, name: string): string | undefined {
  const value = text(fields, name);
  if (value === undefined || (normalizeName(value) && !/[\s@]/.test(value))) return value;
  throw new ControlError(`${JSON.stringify(value)} is not a domain`);
}

function number(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw new ControlError(`${name} is not a number`);
  }
  return value;
}

function flag(fields: Fields, name: string): boolean | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "boolean") throw new ControlError(`${name} is not true or false`);
  return value;
}

/** Which items a command is about. */
function filterOf(args: Json): QueueFilter {
  const f = fieldsOf(fieldsOf(args).filter ?? null);
  const ids = f.ids;
  if (ids !== undefined && ids !== null && !(Array.isArray(ids) && ids.every(Number.isInteger))) {
    throw new ControlError("ids are whole numbers");
  }
  return {
    ids: (ids ?? undefined) as number[] | undefined,
    account: text(f, "account"),
    from: text(f, "from"),
    to: text(f, "to"),
    hold: flag(f, "hold"),
    transport: text(f, "transport"),
    queuedBefore: number(f, "queuedBefore"),
    queuedAfter: number(f, "queuedAfter"),
    dueBefore: number(f, "dueBefore"),
    dueAfter: number(f, "dueAfter"),
  };
}

function orderOf(args: Json): QueueOrder {
  const o = fieldsOf(fieldsOf(args).order ?? null);
  const sort = text(o, "sort");
  if (sort !== undefined && sort !== "next" && sort !== "queued" && sort !== "id") {
    throw new ControlError(`the queue is sorted by next, queued or id, not ${sort}`);
  }
  return {
    sort,
    descending: flag(o, "descending"),
    limit: number(o, "limit"),
    offset: number(o, "offset"),
  };
}

/** Values for JSON: undefined ones are left out. */
const json = (value: unknown) => JSON.parse(JSON.stringify(value)) as Json;

/** The handlers, by command. */
export function queueHandlers(queue: Queue, config: Config): Map<string, ControlHandler> {
  const account = (args: Json): string => {
    const name = text(fieldsOf(args), "account");
    if (name === undefined || !config.account(name)) throw new ControlError(`no account ${name}`);
    return name;
  };
  return new Map<string, ControlHandler>([
    ["queue list", (args) =>
      json(
        queue.list(filterOf(args), orderOf(args)).map((item) => {
          const m = queue.message(item.messageId)!;
          return {
            ...item,
            account: m.senderAccount,
            from: m.mailFrom,
            size: m.prefix.length + m.fileSize,
            queued: m.queued,
            subject: m.subject,
          };
        }),
      )],
    ["queue hold", (args) => queue.hold(filterOf(args), true)],
    ["queue unhold", (args) => queue.hold(filterOf(args), false)],
    ["queue schedule", (args) => {
      const time = number(fieldsOf(args), "time");
      const by = number(fieldsOf(args), "by");
      if (time !== undefined) return queue.schedule(filterOf(args), time);
      if (by !== undefined) return queue.postpone(filterOf(args), by);
      throw new ControlError("a time is needed");
    }],
    ["queue transport", (args) => {
      const name = text(fieldsOf(args), "transport");
      if (name !== undefined && !config.static.Transports.has(name)) {
        throw new ControlError(`no transport ${name} in mox.conf`);
      }
      return queue.setTransport(filterOf(args), name);
    }],
    ["queue requiretls", (args) => {
      const value = text(fieldsOf(args), "value");
      if (value !== "yes" && value !== "no" && value !== "default") {
        throw new ControlError("the value is yes, no or default");
      }
      return queue.setRequireTls(filterOf(args), value === "default" ? undefined : value);
    }],
    ["queue fail", (args) => queue.fail(filterOf(args))],
    ["queue drop", (args) => queue.drop(filterOf(args))],
    ["queue dump", async (args, print) => {
      const id = number(fieldsOf(args), "id");
      const [item] = queue.list({ ids: [id ?? -1] });
      const message = item && queue.message(item.messageId);
      if (!message) throw new ControlError(`no item ${id} in the queue`);
      for await (const piece of messageBytes(message)) {
        for (let at = 0; at < piece.length; at += dumpPiece) {
          // JSON has no bytes: each becomes a character.
          print(
            Array.from(piece.subarray(at, at + dumpPiece), (b) => String.fromCharCode(b)).join(""),
          );
        }
      }
    }],
    ["queue holdrules list", () => json(queue.holdRules())],
    ["queue holdrules add", async (args) => {
      const f = fieldsOf(args);
      const name = text(f, "account");
      if (name !== undefined && !config.account(name)) throw new ControlError(`no account ${name}`);
      return await queue.addHoldRule({
        account: name,
        senderDomain: domain(f, "senderDomain"),
        recipientDomain: domain(f, "recipientDomain"),
      });
    }],
    ["queue holdrules remove", async (args) => {
      const id = number(fieldsOf(args), "id");
      if (!await queue.removeHoldRule(id ?? -1)) throw new ControlError(`no hold rule ${id}`);
    }],
    ["queue suppress list", (args) => {
      const all = (fieldsOf(args).account ?? null) === null;
      return json(queue.suppressions(all ? undefined : account(args)));
    }],
    ["queue suppress add", async (args) => {
      const address = text(fieldsOf(args), "address") ?? "";
      if (!address.includes("@")) throw new ControlError(`${address} is not an address`);
      const added = await queue.suppress({
        account: account(args),
        address,
        manual: true,
        reason: text(fieldsOf(args), "reason") ?? "added by an administrator",
      });
      if (!added) throw new ControlError(`${address} is on the list already`);
    }],
    ["queue suppress remove", async (args) => {
      const address = text(fieldsOf(args), "address") ?? "";
      if (!await queue.unsuppress(account(args), address)) {
        throw new ControlError(`${address} is not on the list`);
      }
    }],
    [
      "queue suppress lookup",
      (args) =>
        json(queue.suppressed(account(args), text(fieldsOf(args), "address") ?? "") ?? null),
    ],
    ["queue retired list", (args) =>
      json(queue.retired({
        account: text(fieldsOf(args), "account"),
        limit: number(fieldsOf(args), "limit"),
        before: number(fieldsOf(args), "before"),
      }))],
  ]);
}
