/** Email/import (RFC 8621 §4.8). @module */
import * as v from "valibot";
import { parseDate } from "../../../mail/header/date.ts";
import { emailState } from "../../../store/emails/changes.ts";
import { openBlob } from "../../mail/blob.ts";
import { Capability } from "../../core/capabilities.ts";
import { invalidProperties, SetError } from "../../core/errors.ts";
import { type Access, defineMethod, type MethodContext } from "../../core/method.ts";
import { runSet } from "../../core/set.ts";
import { anyObject, id, mapOf } from "../../core/types.ts";
import {
  addEmail,
  readMailboxIds,
  readReceivedAt,
  withMessageFile,
} from "../../mail/email_changes.ts";
import { rawFields } from "../../mail/header_fields.ts";
import { readKeywords } from "../../mail/keywords.ts";
import { Turns } from "../../mail/message_source.ts";
import { mailView } from "../../mail/view.ts";
import type { Blob } from "../../blobs/types.ts";

const known = ["blobId", "mailboxIds", "keywords", "receivedAt"];
const piece = 256 * 1024;

/** When the last server received it (RFC 8621 §4.8); undefined if unknown. */
function receivedLast(header: Uint8Array): number | undefined {
  const field = rawFields(header).find((f) => f.name.toLowerCase() === "received");
  const semicolon = field?.value.lastIndexOf(";") ?? -1;
  return semicolon < 0 ? undefined : parseDate(field!.value.slice(semicolon + 1))?.getTime();
}

/** Copies a blob into a new file, durable. */
export async function copyToFile(blob: Blob, path: string): Promise<void> {
  const turns = new Turns();
  const file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  try {
    for (let at = 0; at < blob.size; at += piece) {
      const bytes = blob.read(at, Math.min(blob.size, at + piece));
      for (let n = 0; n < bytes.length;) n += await file.write(bytes.subarray(n));
      await turns.next();
    }
    await file.syncData();
  } finally {
    file.close();
  }
}

async function importOne(
  ctx: MethodContext,
  access: Access,
  o: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const bad = Object.keys(o).filter((k) => !known.includes(k));
  if (typeof o.blobId !== "string") bad.push("blobId");
  if (bad.length > 0) throw invalidProperties(bad, `can't be so: ${bad.join(", ")}`);
  const view = await mailView(access);
  const mailboxes = readMailboxIds(ctx, view, o.mailboxIds);
  const { flags, words } = readKeywords(o.keywords);
  const received = readReceivedAt(o.receivedAt);
  const blob = await openBlob(ctx.s, access, o.blobId as string);
  if (blob === undefined) {
    throw new SetError("invalidProperties", "there is no such blob", { properties: ["blobId"] });
  }
  try {
    if (blob.size > ctx.s.maxMessageSize) {
      throw new SetError("tooLarge", `a message can have ${ctx.s.maxMessageSize} bytes`);
    }
    const header = blob.read(0, Math.min(blob.size, piece));
    if (rawFields(header).length === 0) {
      throw new SetError("invalidEmail", "the blob does not begin with the header of a message");
    }
    return await withMessageFile(ctx, async (path) => {
      await copyToFile(blob, path);
      return await addEmail(view, mailboxes, {
        file: path,
        fileSize: blob.size,
        fileSynced: true,
        prefix: new Uint8Array(0),
        flags,
        keywords: words,
        received: received ?? receivedLast(header),
      });
    });
  } finally {
    blob.close();
  }
}

export const emailImport = defineMethod({
  name: "Email/import",
  capability: Capability.Mail,
  args: v.strictObject({
    accountId: id,
    ifInState: v.optional(v.nullable(v.string())),
    emails: mapOf(id, anyObject),
  }),
  async run(ctx, args) {
    const access = await ctx.access(args.accountId);
    const r = await runSet(ctx, { ...args, create: args.emails }, {
      state: () => String(emailState(access.account)),
      create: (o) => importOne(ctx, access, o),
      update: () => Promise.resolve(null),
      destroy: () => Promise.resolve(),
    });
    const { accountId, oldState, newState, created, notCreated } = r;
    return { accountId, oldState, newState, created, notCreated };
  },
});
