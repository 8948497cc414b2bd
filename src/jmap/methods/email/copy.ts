/** Email/copy (RFC 8621 §4.7, RFC 8620 §5.4). @module */
import { emailState } from "../../../store/emails/changes.ts";
import { openBlob } from "../../mail/blob.ts";
import { copyArgs, fromAccount } from "../../core/copy.ts";
import { Capability } from "../../core/capabilities.ts";
import { invalidProperties, MethodError } from "../../core/errors.ts";
import { type Access, defineMethod, type MethodContext } from "../../core/method.ts";
import { notFound, runSet } from "../../core/set.ts";
import {
  addEmail,
  readMailboxIds,
  readReceivedAt,
  withMessageFile,
} from "../../mail/email_changes.ts";
import { slotOfId } from "../../mail/ids.ts";
import { keywordsOfSlot, readKeywords } from "../../mail/keywords.ts";
import { mailView } from "../../mail/view.ts";
import { copyToFile } from "./import.ts";

const known = ["id", "mailboxIds", "keywords", "receivedAt"];

async function copyOne(
  ctx: MethodContext,
  from: Access,
  to: Access,
  o: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const bad = Object.keys(o).filter((k) => !known.includes(k));
  if (typeof o.id !== "string") bad.push("id");
  if (bad.length > 0) throw invalidProperties(bad, `can't be so: ${bad.join(", ")}`);
  const source = await mailView(from);
  const slot = slotOfId(source.index, o.id as string);
  if (slot === undefined || !source.visible(slot)) throw notFound();
  const view = await mailView(to);
  const mailboxes = readMailboxIds(ctx, view, o.mailboxIds);
  const { flags, words } = readKeywords(o.keywords ?? keywordsOfSlot(source.index, slot));
  const received = readReceivedAt(o.receivedAt) ?? source.index.received[slot];
  const blob = await openBlob(ctx.s, from, `B${source.index.emailId[slot]}`);
  if (blob === undefined) throw notFound();
  try {
    return await withMessageFile(ctx, async (path) => {
      await copyToFile(blob, path);
      return await addEmail(view, mailboxes, {
        file: path,
        fileSize: blob.size,
        fileSynced: true,
        prefix: new Uint8Array(0),
        flags,
        keywords: words,
        received,
      });
    });
  } finally {
    blob.close();
  }
}

export const emailCopy = defineMethod({
  name: "Email/copy",
  capability: Capability.Mail,
  args: copyArgs,
  async run(ctx, args) {
    if (args.fromAccountId === args.accountId) {
      throw new MethodError("invalidArguments", "fromAccountId: is the account itself");
    }
    const from = await fromAccount(ctx, args.fromAccountId);
    const to = await ctx.access(args.accountId);
    const fromState = String(emailState(from.account));
    if (args.ifFromInState && args.ifFromInState !== fromState) {
      throw new MethodError("stateMismatch", "the state of the other account is another by now");
    }
    const { accountId, oldState, newState, created, notCreated } = await runSet(ctx, args, {
      state: () => String(emailState(to.account)),
      create: (o) => copyOne(ctx, from, to, o),
      update: () => Promise.resolve(null),
      destroy: () => Promise.resolve(),
    });
    const done = Object.keys(created ?? {}).map((k) => args.create[k].id as string);
    if (args.onSuccessDestroyOriginal && done.length > 0) {
      ctx.implicit("Email/set", {
        accountId: args.fromAccountId,
        ifInState: args.destroyFromIfInState ?? null,
        destroy: done,
      });
    }
    return {
      fromAccountId: args.fromAccountId,
      accountId,
      oldState,
      newState,
      created,
      notCreated,
    };
  },
});
