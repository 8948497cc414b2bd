/** The pages of mailing lists of the running server. @module */
import { HttpError, UserError, type WebHandler } from "../../web/http/mod.ts";
import { listPages } from "../../web/lists/mod.ts";
import { decide } from "../lists/held.ts";
import {
  admit,
  ask,
  confirmRequest,
  leave,
  ListRefusal,
  memberAddress,
} from "../lists/membership.ts";
import type { MailingLists } from "../lists/mod.ts";
import { allLists, isOwner, listByKey, tokenIn } from "../lists/services.ts";

/** Texts for the user. */
async function withRefusals<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (err) {
    if (err instanceof ListRefusal) throw new UserError(err.message, { cause: err });
    throw err;
  }
}

/** Makes the handler; the lists may not be open yet. */
export function listsHandler(lists: () => MailingLists | undefined): WebHandler {
  let handler: WebHandler | undefined;
  return (req) => {
    const open = lists();
    if (open === undefined) throw new HttpError(503, "the server is starting");
    return (handler ??= handlerOf(open))(req);
  };
}

function handlerOf(lists: MailingLists): WebHandler {
  const s = lists.services;
  return listPages({
    db: s.db,
    key: s.key,
    all: () => allLists(s.config),
    list: (key) => listByKey(s.config, key),
    isOwner,
    token: (list, token) => tokenIn(s, list, token),
    ask: (list, kind, address, name) =>
      withRefusals(async () => await ask(s, list, kind, memberAddress(address), name)),
    confirm: (list, id) => withRefusals(() => confirmRequest(s, list, id)),
    async leave(list, id) {
      const member = s.db.members.byId(list.key, id);
      if (member) await leave(s, list, member.address);
    },
    decide: (list, id, verdict) =>
      withRefusals(async () => {
        await decide(s, list, id, verdict);
        lists.sender.wake();
      }),
    admit: (list, id, letIn) => withRefusals(() => admit(s, list, id, letIn)),
    now: s.now,
  });
}
