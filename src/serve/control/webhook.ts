/** Commands on webhooks, over the control socket. @module */
import type { Config } from "../../config/mod.ts";
import type { HookFilter, Webhooks } from "../../queue/webhooks/mod.ts";
import { ControlError, type ControlHandler, type Json } from "./control.ts";

type Fields = Record<string, Json>;
const fieldsOf = (args: Json) => (args ?? {}) as Fields;
const json = (value: unknown) => JSON.parse(JSON.stringify(value)) as Json;

function filterOf(args: Json): HookFilter {
  const { ids, account, event } = fieldsOf(args);
  if (ids !== undefined && ids !== null && !(Array.isArray(ids) && ids.every(Number.isInteger))) {
    throw new ControlError("ids are whole numbers");
  }
  const text = (v: Json | undefined) => typeof v === "string" && v !== "" ? v : undefined;
  return {
    ids: (ids ?? undefined) as number[] | undefined,
    account: text(account),
    event: text(event),
  };
}

function limitOf(args: Json): number | undefined {
  const { limit } = fieldsOf(args);
  return typeof limit === "number" && limit > 0 ? Math.min(limit, 100_000) : undefined;
}

/** The handlers, by command. */
export function webhookHandlers(hooks: Webhooks, config: Config): Map<string, ControlHandler> {
  return new Map<string, ControlHandler>([
    [
      "queue webhook list",
      // Those who may list them need not know the receivers' passwords.
      (args) =>
        json(
          hooks.list(filterOf(args), limitOf(args)).map((hook) => ({
            ...hook,
            authorization: hook.authorization === "" ? "" : "(set)",
            payload: undefined,
          })),
        ),
    ],
    ["queue webhook print", (args) => {
      const [hook] = hooks.list(filterOf(args), 1);
      if (!hook) throw new ControlError("no such call in the queue");
      return json({ ...hook, authorization: hook.authorization === "" ? "" : "(set)" });
    }],
    ["queue webhook schedule", (args) => {
      const { time, by } = fieldsOf(args);
      if (typeof time === "number") return hooks.schedule(filterOf(args), { time });
      if (typeof by === "number") return hooks.schedule(filterOf(args), { by });
      throw new ControlError("a time is needed");
    }],
    ["queue webhook cancel", (args) => hooks.cancel(filterOf(args))],
    ["queue webhook secret", (args) => {
      const { account } = filterOf(args);
      if (account === undefined) throw new ControlError("an account is needed");
      if (!config.account(account)) throw new ControlError(`no account ${account}`);
      return hooks.secret(account);
    }],
    [
      "queue webhook retired list",
      (args) =>
        json(
          hooks.retired(filterOf(args), limitOf(args)).map((h) => ({ ...h, payload: undefined })),
        ),
    ],
    ["queue webhook retired print", (args) => {
      const [hook] = hooks.retired(filterOf(args), 1);
      if (!hook) throw new ControlError("no such call is kept");
      return json(hook);
    }],
  ]);
}
