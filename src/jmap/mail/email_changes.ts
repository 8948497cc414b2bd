/** Creating, updating and destroying emails (RFC 8621 §4.6). @module */
import { type MailboxId, noMailbox } from "../../store/ids.ts";
import { join } from "node:path";
import { formatDate } from "../../mail/header/date.ts";
import { removeFile } from "../../platform/files.ts";
import type { EmailKeywords } from "../../store/messages/update_email.ts";
import { emailIndex } from "../../store/emails/email_index.ts";
import { Flag, type Message, type NewMessage } from "../../store/types.ts";
import { openBlob } from "./blob.ts";
import { invalidProperties, SetError } from "../core/errors.ts";
import type { Access, MethodContext } from "../core/method.ts";
import { type PatchStep, patchSteps, sameJson } from "../core/patch.ts";
import { notFound, resolveId } from "../core/set.ts";
import { dateMs } from "../core/types.ts";
import { composeEmail, isMessageProperty } from "./compose_email.ts";
import { presetOfGet, storedEmail, wantedEmail } from "./email_object.ts";
import { mailboxIdOf, mailboxNumber, slotOfId, threadIdOf } from "./ids.ts";
import { addKeyword, isKeyword, readKeywords, removeKeyword } from "./keywords.ts";
import { Turns } from "./message_source.ts";
import { type MailView, mailView } from "./view.ts";

/** Most mailboxes of an email. */
export const maxMailboxesPerEmail = 100;

let nextFile = 0;

/** Runs the function with the path of a temporary file for a message, which is removed at the end. */
export async function withMessageFile<T>(
  ctx: MethodContext,
  fn: (path: string) => Promise<T>,
): Promise<T> {
  const path = join(ctx.s.tempDir, `jmap-${Date.now().toString(36)}-${++nextFile}`);
  try {
    return await fn(path);
  } finally {
    removeFile(path);
  }
}

/** Numbers of the target mailboxes of an email. @throws SetError */
export function readMailboxIds(
  ctx: MethodContext,
  view: MailView,
  value: unknown,
): MailboxId[] {
  const bad = (why: string) => invalidProperties(["mailboxIds"], `mailboxIds: ${why}`);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw bad("must be an object");
  }
  const ids = Object.entries(value).map(([given, on]) => {
    if (on !== true) throw bad(`${given} must be true`);
    return mailboxOf(ctx, view, given);
  });
  if (ids.length === 0) throw bad("an email must be in a mailbox");
  if (ids.length > maxMailboxesPerEmail) {
    throw new SetError("tooManyMailboxes", `an email can be in ${maxMailboxesPerEmail} mailboxes`);
  }
  return ids;
}

function mailboxOf(ctx: MethodContext, view: MailView, given: string): MailboxId {
  const id = resolveId(ctx, given);
  const number = id === undefined ? undefined : mailboxNumber(id);
  if (number === undefined || view.rights(number) === "") {
    throw invalidProperties(["mailboxIds"], `there is no mailbox ${given.slice(0, 200)}`);
  }
  return number;
}

/** @throws SetError forbidden */
export function requireRights(view: MailView, mailboxId: MailboxId, letters: string): void {
  const rights = view.rights(mailboxId);
  if ([...letters].every((l) => rights.includes(l))) return;
  throw new SetError("forbidden", `you may not do that in ${mailboxIdOf(mailboxId)}`);
}

/** Milliseconds of a given receivedAt date; undefined for now. */
export function readReceivedAt(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  const ms = typeof value === "string" && value.endsWith("Z") ? dateMs(value) : undefined;
  if (ms === undefined) throw invalidProperties(["receivedAt"], "receivedAt must be a date in UTC");
  return ms;
}

/** Adds a message, and returns the properties that the client doesn't know. */
export async function addEmail(
  view: MailView,
  mailboxes: readonly MailboxId[],
  message: NewMessage,
): Promise<Record<string, unknown>> {
  for (const id of mailboxes) requireRights(view, id, "i");
  const made: Message = await view.account.addEmail(mailboxes, message);
  await emailIndex(view.account);
  return {
    id: `E${made.emailId}`,
    blobId: `B${made.emailId}`,
    threadId: threadIdOf(made.threadId),
    size: made.size,
  };
}

/** Creates an email from its properties. */
export async function createEmail(
  ctx: MethodContext,
  access: Access,
  o: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const view = await mailView(access);
  const bad: string[] = [];
  for (const name of Object.keys(o)) {
    if (["mailboxIds", "keywords", "receivedAt"].includes(name)) continue;
    if (!isMessageProperty(name)) bad.push(name);
  }
  if (bad.length > 0) throw invalidProperties(bad, `can't be given: ${bad.join(", ")}`);
  const mailboxes = readMailboxIds(ctx, view, o.mailboxIds);
  const { flags, words } = readKeywords(o.keywords);
  const received = readReceivedAt(o.receivedAt);
  return await withMessageFile(ctx, async (path) => {
    const preset = {
      messageId: `${crypto.randomUUID()}@${ctx.s.hostname}`,
      date: formatDate(new Date()),
    };
    const fileSize = await composeEmail(
      o,
      path,
      preset,
      (id) => openBlob(ctx.s, access, id),
      ctx.s.maxMessageSize,
    );
    return await addEmail(view, mailboxes, {
      file: path,
      fileSize,
      fileSynced: true,
      prefix: new Uint8Array(0),
      flags,
      keywords: words,
      received,
    });
  });
}

/** The keyword changes of a patch; undefined if none. */
function keywordChange(
  steps: readonly PatchStep[],
): ((before: EmailKeywords) => EmailKeywords) | undefined {
  const own = steps.filter((s) => s.path[0] === "keywords");
  if (own.length === 0) return undefined;
  const whole = own.find((s) => s.path.length === 1);
  if (whole) {
    const set = readKeywords(whole.value);
    return () => set;
  }
  for (const { path: [, keyword, ...more], value } of own) {
    if (more.length > 0) throw new SetError("invalidPatch", "there is nothing below a keyword");
    if (!isKeyword(keyword) || (value !== true && value !== null)) {
      throw invalidProperties([`keywords/${keyword}`], "a keyword can be true or null");
    }
  }
  return (before) => {
    const after = { flags: before.flags, words: [...before.words] };
    for (const { path: [, keyword], value } of own) {
      if (value === true) addKeyword(after, keyword);
      else removeKeyword(after, keyword);
    }
    return after;
  };
}

/** The same for mailboxes. */
function mailboxChange(
  ctx: MethodContext,
  view: MailView,
  steps: readonly PatchStep[],
): ((before: readonly MailboxId[]) => MailboxId[]) | undefined {
  const own = steps.filter((s) => s.path[0] === "mailboxIds");
  if (own.length === 0) return undefined;
  // Mailboxes hidden from the user stay.
  const hidden = (before: readonly MailboxId[]) => before.filter((id) => view.rights(id) === "");
  const whole = own.find((s) => s.path.length === 1);
  if (whole) {
    const set = readMailboxIds(ctx, view, whole.value);
    return (before) => [...hidden(before), ...set];
  }
  const changes = own.map(({ path: [, given, ...more], value }) => {
    if (more.length > 0) throw new SetError("invalidPatch", "there is nothing below a mailbox");
    if (value !== true && value !== null) {
      throw invalidProperties([`mailboxIds/${given}`], "a mailbox can be true or null");
    }
    if (value === true) return { id: mailboxOf(ctx, view, given), on: true };
    // Removing it from a mailbox that is gone is not an error.
    return { id: mailboxNumber(resolveId(ctx, given) ?? "") ?? noMailbox, on: false };
  });
  return (before) => {
    const after = new Set(before);
    for (const { id, on } of changes) {
      if (on) after.add(id);
      else after.delete(id);
    }
    if (after.size === 0) {
      throw invalidProperties(["mailboxIds"], "an email must be in a mailbox");
    }
    if (after.size > maxMailboxesPerEmail) {
      throw new SetError(
        "tooManyMailboxes",
        `an email can be in ${maxMailboxesPerEmail} mailboxes`,
      );
    }
    return [...after];
  };
}

/** Refuses changes of immutable properties. An unchanged value is allowed (RFC 8620 §5.3). */
async function checkFixed(
  view: MailView,
  slot: number,
  steps: readonly PatchStep[],
): Promise<void> {
  const others = steps.filter((s) => s.path[0] !== "keywords" && s.path[0] !== "mailboxIds");
  if (others.length === 0) return;
  // All others are arrays or plain values, without anything below them.
  const below = others.find(({ path }) =>
    path.length > 1 && path[0] !== "bodyStructure" && path[0] !== "bodyValues"
  );
  if (below) {
    throw new SetError("invalidPatch", `there is nothing at ${below.path.join("/").slice(0, 200)}`);
  }
  const bad: string[] = [];
  const names = others.map((s) => s.path.join("/"));
  const asked = names.filter((n) => presetOfGet.includes(n));
  const now = await storedEmail(
    view,
    slot,
    wantedEmail({ properties: asked }, presetOfGet),
    new Turns(),
  ) ?? {};
  for (const [i, { path, value }] of others.entries()) {
    if (path.length > 1 || !asked.includes(names[i]) || !sameJson(now[names[i]], value)) {
      bad.push(names[i]);
    }
  }
  if (bad.length > 0) throw invalidProperties(bad, `can't be changed: ${bad.join(", ")}`);
}

/** Updates keywords and mailboxes of an email. */
export async function changeEmail(
  ctx: MethodContext,
  access: Access,
  id: string,
  patch: Record<string, unknown>,
): Promise<null> {
  const view = await mailView(access);
  const slot = slotOfId(view.index, id);
  if (slot === undefined || !view.visible(slot)) throw notFound();
  const steps = patchSteps(patch);
  await checkFixed(view, slot, steps);
  const keywords = keywordChange(steps);
  const mailboxes = mailboxChange(ctx, view, steps);
  if (keywords && !access.own) {
    const before = view.index.flags[slot];
    for (const m of view.mailboxesOf(slot)) {
      const after = keywords({ flags: before, words: [] }).flags;
      if ((before ^ after) & Flag.Seen) requireRights(view, m, "s");
      if ((before ^ after) & ~Flag.Seen || steps.some((s) => s.path[1] !== "$seen")) {
        requireRights(view, m, "w");
      }
    }
  }
  const checked = mailboxes && ((before: readonly MailboxId[]) => {
    const after = mailboxes(before);
    for (const m of after) if (!before.includes(m)) requireRights(view, m, "i");
    for (const m of before) if (!after.includes(m)) requireRights(view, m, "te");
    return after;
  });
  if (keywords || checked) {
    await view.account.updateEmail(view.index.emailAt(slot), { keywords, mailboxes: checked });
  }
  return null;
}

/** Destroys an email in all its mailboxes. */
export async function destroyEmail(access: Access, id: string): Promise<void> {
  const view = await mailView(access);
  const slot = slotOfId(view.index, id);
  if (slot === undefined || !view.visible(slot)) throw notFound();
  for (const m of view.mailboxesOf(slot)) requireRights(view, m, "te");
  await view.account.destroyEmail(
    view.index.emailAt(slot),
    access.own ? undefined : (m) => view.rights(m).includes("r"),
  );
}
