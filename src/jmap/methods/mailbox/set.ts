/** Mailbox/set (RFC 8621 §2.5). @module */
import { type MailboxId, noMailbox } from "../../../store/ids.ts";
import * as v from "valibot";
import { mailboxState } from "../../../store/emails/changes.ts";
import { maxMailboxDepth, maxMailboxNameBytes } from "../../../store/mailboxes/mailboxes.ts";
import type { Renaming } from "../../../store/account/mailbox_changes.ts";
import { type Mailbox, StoreError } from "../../../store/types.ts";
import { Capability } from "../../core/capabilities.ts";
import { invalidProperties, SetError } from "../../core/errors.ts";
import { ConflictError, type Waiting } from "../../core/conflicts.ts";
import { defineMethod, type MethodContext } from "../../core/method.ts";
import { applyPatch, sameJson } from "../../core/patch.ts";
import { notFound, resolveId, runSet, setEntries } from "../../core/set.ts";
import { mailboxIdOf, mailboxNumber } from "../../mail/ids.ts";
import { readMailboxShares, shareMailbox } from "../../sharing/mailbox_shares.ts";
import {
  leafName,
  mailboxObjects,
  mailboxProperties,
  roleOf,
  specialUseOf,
} from "../../mail/mailbox_object.ts";
import { type MailView, mailView } from "../../mail/view.ts";

/** Checked properties set by a client. */
interface Wanted {
  name?: string;
  /** {@link noMailbox} for none. */
  parentId?: MailboxId;
  role?: string | null;
  sortOrder?: number;
  isSubscribed?: boolean;
  /** Names of accounts with their rights. */
  shareWith?: Map<string, string>;
}

const settable = ["name", "parentId", "role", "sortOrder", "isSubscribed"];

const sharing = (ctx: MethodContext) => ctx.using.has(Capability.MailShare);

/** @throws SetError invalidProperties */
function readWanted(
  ctx: MethodContext,
  view: MailView,
  o: Record<string, unknown>,
  isInbox = false,
): Wanted {
  const bad: string[] = [];
  const w: Wanted = {};
  for (const [name, value] of Object.entries(o)) {
    switch (name) {
      case "name":
        if (typeof value === "string" && isName(value)) w.name = value.normalize("NFC");
        else bad.push(name);
        break;
      case "parentId": {
        if (value === null) {
          w.parentId = noMailbox;
          break;
        }
        const id = typeof value === "string" ? resolveId(ctx, value) : undefined;
        if (id === undefined && typeof value === "string") throw noParent();
        const number = id === undefined ? undefined : mailboxNumber(id);
        if (number !== undefined && view.rights(number) !== "") w.parentId = number;
        else bad.push(name);
        break;
      }
      case "role":
        if (value === null || typeof value === "string" && specialUseOf(value) !== undefined) {
          w.role = value;
        } else bad.push(name);
        break;
      case "sortOrder":
        if (value === null) w.sortOrder = 0;
        else if (Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31) {
          w.sortOrder = value as number;
        } else bad.push(name);
        break;
      case "isSubscribed":
        if (typeof value === "boolean") w.isSubscribed = value;
        else bad.push(name);
        break;
      case "shareWith":
        if (sharing(ctx)) w.shareWith = readMailboxShares(ctx, view.account.name, value, isInbox);
        else bad.push(name);
        break;
      default:
        bad.push(name);
    }
  }
  if (bad.length > 0) throw invalidProperties(bad, `can't be set so: ${bad.join(", ")}`);
  return w;
}

function noParent(): ConflictError {
  return new ConflictError("invalidProperties", "parentId: no mailbox was created so", {
    more: { properties: ["parentId"] },
  });
}

/** A valid level of a name: not empty, without control characters and separators. */
function isName(s: string): boolean {
  return s !== "" && s.isWellFormed() && new TextEncoder().encode(s).length <= 255 &&
    // deno-lint-ignore no-control-regex
    !/[\x00-\x1f\x7f-\x9f\u2028\u2029/]/.test(s);
}

function pathOf(view: MailView, parentId: MailboxId, name: string): string {
  const parent = parentId === 0 ? undefined : view.account.mailbox(parentId);
  const path = parent === undefined ? name : `${parent.name}/${name}`;
  if (path.split("/").length > maxMailboxDepth) {
    throw invalidProperties(["parentId"], `mailboxes can be ${maxMailboxDepth} levels deep`);
  }
  if (new TextEncoder().encode(path).length > maxMailboxNameBytes) {
    throw invalidProperties(
      ["name"],
      `name and those above are longer than ${maxMailboxNameBytes}`,
    );
  }
  return path;
}

/** What mailboxes that are in each other's way get, all at once. */
type Exchange = { renaming: Renaming } | { bits: number };

function checkFree(view: MailView, path: string, renaming?: Renaming): void {
  const existing = view.account.mailboxByName(path);
  if (existing) {
    const holder = mailboxIdOf(existing.id);
    throw new ConflictError("alreadyExists", "there is a mailbox of this name there already", {
      holder,
      wanted: renaming && { renaming } satisfies Exchange,
      more: { existingId: holder },
    });
  }
}

/** @param alone nothing else of the mailbox is changed that could be refused after this */
function checkRole(view: MailView, role: string, own: number, alone = false): number {
  const bit = specialUseOf(role)!;
  const holder = view.account.mailboxBySpecialUse(bit);
  if (holder && holder.id !== own) {
    throw new ConflictError("invalidProperties", `the mailbox ${holder.name} has this role`, {
      holder: mailboxIdOf(holder.id),
      wanted: alone ? { bits: bit } satisfies Exchange : undefined,
      more: { properties: ["role"] },
    });
  }
  return bit;
}

async function create(
  ctx: MethodContext,
  view: MailView,
  given: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const { account, access } = view;
  const w = readWanted(ctx, view, given);
  if (w.name === undefined) throw invalidProperties(["name"], "a mailbox needs a name");
  const parentId = w.parentId ?? noMailbox;
  if (!access.own && !view.rights(parentId).includes("k")) {
    throw new SetError("forbidden", "you may not make a mailbox there");
  }
  const path = pathOf(view, parentId, w.name);
  checkFree(view, path);
  const specialUse = w.role ? checkRole(view, w.role, 0) : 0;
  const { mailbox } = await account.createMailbox(path, { specialUse });
  if (w.sortOrder) await account.setSortOrder(mailbox.id, w.sortOrder);
  if (w.isSubscribed === false) await account.unsubscribe(path);
  if (w.shareWith !== undefined) {
    if (!access.own) throw new SetError("forbidden", "only its owner may share a new mailbox");
    await shareMailbox(ctx, view, mailbox, w.shareWith);
  }
  const id = mailboxIdOf(mailbox.id);
  const made = mailboxObjects(await mailView(access), sharing(ctx)).get(id);
  if (!made) return { id };
  // The client knows its own values.
  return Object.fromEntries(
    Object.entries(made).filter(([k, value]) =>
      k === "id" || !(settable.includes(k) && sameJson(given[k], value))
    ),
  );
}

async function rename(view: MailView, mailbox: Mailbox, wanted: Wanted): Promise<void> {
  const parentId = wanted.parentId ?? mailbox.parentId;
  const name = wanted.name ?? leafName(mailbox.name);
  const path = pathOf(view, parentId, name);
  if (path === mailbox.name) return;
  if (mailbox.name === "Inbox") throw new SetError("forbidden", "Inbox can't be renamed or moved");
  for (
    let at: MailboxId = parentId;
    at !== 0;
    at = view.account.mailbox(at)?.parentId ?? noMailbox
  ) {
    if (at === mailbox.id) {
      throw new ConflictError("invalidProperties", "a mailbox can't be below itself", {
        more: { properties: ["parentId"] },
      });
    }
  }
  if (!view.access.own && !view.rights(parentId).includes("k")) {
    throw new SetError("forbidden", "you may not put a mailbox there");
  }
  checkFree(view, path, { id: mailbox.id, parentId, name });
  await view.account.renameMailbox(mailbox.name, path);
}

async function update(
  ctx: MethodContext,
  access: MailView["access"],
  id: string,
  patch: Record<string, unknown>,
): Promise<null> {
  const view = await mailView(access);
  const { account } = view;
  const number = mailboxNumber(id);
  const m = number === undefined ? undefined : account.mailbox(number);
  const before = m && mailboxObjects(view, sharing(ctx)).get(id);
  if (!m || !before) throw notFound();
  const after = applyPatch(before, patch);
  const changed = Object.keys(after).filter((k) => !sameJson(after[k], before[k]));
  const may = sharing(ctx) ? [...settable, "shareWith"] : settable;
  const fixed = changed.filter((k) => !may.includes(k));
  if (fixed.length > 0) {
    throw invalidProperties(
      fixed,
      fixed.some((k) => mailboxProperties.includes(k))
        ? `the server sets these: ${fixed.join(", ")}`
        : `there is no ${fixed.join(", ")}`,
    );
  }
  const wanted = Object.fromEntries(changed.map((k) => [k, after[k]]));
  const w = readWanted(ctx, view, wanted, m.name === "Inbox");
  const rights = view.rights(m.id);
  if ((w.name !== undefined || w.parentId !== undefined) && !rights.includes("x")) {
    throw new SetError("forbidden", "you may not rename this mailbox");
  }
  if (w.shareWith !== undefined && !rights.includes("a")) {
    throw new SetError("forbidden", "you may not share this mailbox");
  }
  if (!access.own && (w.role !== undefined || w.sortOrder !== undefined)) {
    throw new SetError("forbidden", "only its owner may change that");
  }
  if (!access.own && w.isSubscribed !== undefined) {
    throw new SetError("forbidden", "subscriptions of shared mailboxes are those of their owner");
  }
  if (w.role !== undefined && m.name === "Inbox") {
    throw invalidProperties(["role"], "the role of Inbox can't be changed");
  }
  const moves = w.name !== undefined || w.parentId !== undefined;
  if (w.role) checkRole(view, w.role, m.id, !moves);
  if (moves) await rename(view, m, w);
  if (w.role !== undefined && w.role !== roleOf(m)) {
    await account.setSpecialUse(m.id, w.role === null ? 0 : specialUseOf(w.role)!);
  }
  if (w.sortOrder !== undefined) await account.setSortOrder(m.id, w.sortOrder);
  if (w.shareWith !== undefined) await shareMailbox(ctx, view, m, w.shareWith);
  if (w.isSubscribed !== undefined) {
    const { name } = account.mailbox(m.id) ?? m;
    if (w.isSubscribed) await account.subscribe(name);
    else await account.unsubscribe(name);
  }
  return null;
}

async function destroy(
  access: MailView["access"],
  id: string,
  removeEmails: boolean,
): Promise<void> {
  const view = await mailView(access);
  const number = mailboxNumber(id);
  const m = number === undefined ? undefined : view.account.mailbox(number);
  if (!m || view.rights(m.id) === "") throw notFound();
  if (!view.rights(m.id).includes("x") || m.name === "Inbox") {
    throw new SetError("forbidden", `${m.name} can't be removed`);
  }
  if (view.account.mailboxes().some((c) => c.parentId === m.id)) {
    throw new SetError("mailboxHasChild", "there are mailboxes below it");
  }
  const { index } = view;
  if (!removeEmails && index.order.slots.some((slot) => index.isIn(slot, m.id))) {
    throw new SetError("mailboxHasEmail", "there are emails in it");
  }
  if (m.total > 0 && !view.rights(m.id).includes("e")) {
    throw new SetError("forbidden", "you may not expunge its emails");
  }
  await view.account.deleteMailbox(m.name);
}

/** Whether mailboxes that want each other's names, or roles, have changed them in one transaction. */
async function exchanged(
  { account }: MailView["access"],
  circle: readonly Waiting[],
): Promise<boolean> {
  const all = circle.map(({ objectId, err }) => ({
    id: mailboxNumber(objectId) ?? noMailbox,
    wanted: err.wanted as Exchange | undefined,
  }));
  const renamings = all.flatMap(({ wanted }) =>
    wanted !== undefined && "renaming" in wanted ? [wanted.renaming] : []
  );
  const uses = all.flatMap(({ id, wanted }) =>
    wanted !== undefined && "bits" in wanted ? [{ id, bits: wanted.bits }] : []
  );
  try {
    if (renamings.length === all.length) await account.renameInCircle(renamings);
    else if (uses.length === all.length) await account.setSpecialUses(uses);
    else return false;
    return true;
  } catch (err) {
    // Changed by somebody else meanwhile, or too long for a moment: as one by one, or not at all.
    if (err instanceof StoreError) return false;
    throw err;
  }
}

/**
 * Lets mailboxes have what others of them have: all at once, or else takes the name of one, or its role, away until it
 * gets its new one.
 */
async function makeRoom(
  access: MailView["access"],
  circle: readonly Waiting[],
): Promise<() => Promise<void>> {
  const { account } = access;
  const nothing = () => Promise.resolve();
  if (await exchanged(access, circle)) return nothing;
  const { err } = circle.at(-1)!;
  const m = account.mailbox(mailboxNumber(err.holder ?? "") ?? noMailbox);
  if (m === undefined) return nothing;
  if (err.type === "alreadyExists") {
    const above = m.name.slice(0, m.name.lastIndexOf("/") + 1);
    const meanwhile = above + crypto.randomUUID();
    if (new TextEncoder().encode(meanwhile).length > maxMailboxNameBytes) return nothing;
    await account.renameMailbox(m.name, meanwhile);
    return async () => {
      const now = account.mailbox(m.id);
      if (now === undefined || !now.name.endsWith(meanwhile.slice(above.length))) return;
      if (!account.mailboxByName(m.name)) await account.renameMailbox(now.name, m.name);
    };
  }
  await account.setSpecialUse(m.id, 0);
  return async () => {
    if (account.mailbox(m.id)?.specialUse !== 0) return;
    if (!account.mailboxBySpecialUse(m.specialUse)) await account.setSpecialUse(m.id, m.specialUse);
  };
}

/** Parents come first. */
function creationOrder(create: Record<string, Record<string, unknown>>): string[] {
  const done = new Set<string>();
  const visit = (key: string, depth: number) => {
    if (done.has(key) || depth > maxMailboxDepth) return;
    const parent = create[key].parentId;
    if (typeof parent === "string" && parent.startsWith("#")) {
      const above = parent.slice(1);
      if (Object.hasOwn(create, above)) visit(above, depth + 1);
    }
    done.add(key);
  };
  for (const key of Object.keys(create)) visit(key, 0);
  return [...new Set([...done, ...Object.keys(create)])];
}

export const mailboxSet = defineMethod({
  name: "Mailbox/set",
  capability: Capability.Mail,
  args: v.strictObject({
    ...setEntries,
    onDestroyRemoveEmails: v.optional(v.nullable(v.boolean())),
  }),
  async run(ctx, args) {
    const access = await ctx.access(args.accountId);
    const removeEmails = args.onDestroyRemoveEmails ?? false;
    const depth = (id: string) =>
      access.account.mailbox(mailboxNumber(id) ?? noMailbox)?.name.split("/").length ?? 0;
    return await runSet(ctx, args, {
      state: () => String(mailboxState(access.account)),
      create: async (o) => await create(ctx, await mailView(access), o),
      update: (id, patch) => update(ctx, access, id, patch),
      destroy: (id) => destroy(access, id, removeEmails),
      makeRoom: (circle) => makeRoom(access, circle),
      creationOrder,
      // Children first.
      destroyOrder: (ids) => [...ids].sort((a, b) => depth(b) - depth(a)),
    });
  },
});
