/** Setting with whom a mailbox is shared (draft-ietf-jmap-mail-sharing §3). @module */
import { changeNotedRights } from "../../store/mailboxes/noted_rights.ts";
import { anyone, grantedRights } from "../../store/mailboxes/rights.ts";
import type { Mailbox } from "../../store/types.ts";
import { StoreError } from "../../store/types.ts";
import { accountIdOf } from "../core/access.ts";
import { invalidProperties, SetError } from "../core/errors.ts";
import type { MethodContext } from "../core/method.ts";
import { noteRightsChange } from "./rights_changes.ts";
import type { MailView } from "../mail/view.ts";

/** The letters of RFC 4314 for each right of JMAP. */
const letters: Readonly<Record<string, string>> = {
  mayReadItems: "lr",
  mayAddItems: "i",
  mayRemoveItems: "te",
  maySetSeen: "s",
  maySetKeywords: "w",
  mayCreateChild: "k",
  mayRename: "x",
  mayDelete: "x",
  maySubmit: "p",
  mayShare: "a",
};

const isObject = (x: unknown): x is Record<string, unknown> =>
  typeof x === "object" && x !== null && !Array.isArray(x);

/** Rights in letters. @throws SetError invalidProperties */
function readRights(value: unknown, isInbox: boolean): string {
  if (!isObject(value)) throw invalidProperties(["shareWith"], "rights are an object");
  const found = new Set<string>();
  for (const [name, given] of Object.entries(value)) {
    if (!Object.hasOwn(letters, name) || typeof given !== "boolean") {
      throw invalidProperties(["shareWith"], `there is no right ${name.slice(0, 100)}`);
    }
    if (given) { for (const l of letters[name]) found.add(l); }
  }
  // The two are a single right on a mailbox; Inbox has neither.
  if (!isInbox && (value.mayRename ?? false) !== (value.mayDelete ?? false)) {
    throw invalidProperties(["shareWith"], "mayRename and mayDelete are given together");
  }
  if (found.size > 0) found.add("l");
  return [...found].join("");
}

/** Names of accounts with their rights in letters. @throws SetError invalidProperties */
export function readMailboxShares(
  ctx: MethodContext,
  owner: string,
  value: unknown,
  isInbox: boolean,
): Map<string, string> {
  if (value === null || value === undefined) return new Map();
  if (!isObject(value)) throw invalidProperties(["shareWith"], "shareWith is an object or null");
  const names = new Map([...ctx.s.config.dynamic.Accounts.keys()].map((n) => [accountIdOf(n), n]));
  const shares = new Map<string, string>();
  for (const [id, rights] of Object.entries(value)) {
    const account = names.get(id);
    if (account === undefined || account === owner) {
      throw invalidProperties(["shareWith"], `there is no principal ${id.slice(0, 100)}`);
    }
    shares.set(account, readRights(rights, isInbox));
  }
  return shares;
}

/**
 * Gives accounts these rights and all other accounts none; rights of "anyone" and denied rights stay. @throws
 * SetError
 */
export async function shareMailbox(
  ctx: MethodContext,
  view: MailView,
  m: Pick<Mailbox, "id" | "name">,
  shares: ReadonlyMap<string, string>,
): Promise<void> {
  const { account } = view;
  const known = grantedRights(account.db, m.id).map((g) => g.identifier)
    .filter((n) => n !== anyone && !n.startsWith("-"));
  const { account: by, login } = ctx.user;
  const note = {
    by: { account: by, login },
    changed: async (c: Parameters<typeof noteRightsChange>[1]) => {
      if (c.before === c.after) return;
      await noteRightsChange(ctx.s, c);
      ctx.s.sharing.changed?.(c.account);
    },
  };
  try {
    for (const name of new Set([...known, ...shares.keys()])) {
      const rights = shares.get(name) ?? "";
      // The index of shares is written first, so that no entry is missing after a crash.
      if (rights !== "") await ctx.s.sharing.add(account.name, name);
      await changeNotedRights(account, m, name, () => rights, note);
    }
  } catch (err) {
    if (err instanceof StoreError) throw new SetError("forbidden", err.message);
    throw err;
  }
}
