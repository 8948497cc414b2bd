/** Handing a message of the account to the queue (RFC 8621 §7.5). @module */
import { emailStructure } from "../../store/messages/content.ts";
import { flattenAddresses, parseAddressList } from "../../mail/address/address.ts";
import { formatMailbox } from "../../mail/address/format.ts";
import { headerField, splitHeader } from "../../mail/header/header.ts";
import { emailIndex } from "../../store/emails/email_index.ts";
import { invalidProperties, SetError } from "../core/errors.ts";
import type { Access, MethodContext } from "../core/method.ts";
import { resolveId } from "../core/set.ts";
import { dateMs } from "../core/types.ts";
import { withMessageFile } from "./email_changes.ts";
import { type Identity, maySendAs } from "./identities.ts";
import { slotOfId, threadIdOf } from "./ids.ts";
import { mailView } from "./view.ts";
import { objectNumber } from "../objects/store.ts";
import {
  askedAgain,
  type Delivery,
  type EnvelopeAddress,
  keepAndSend,
  type Submission,
} from "./submissions.ts";

/** Most recipients of a message. */
export const maxRecipients = 1000;
/** Most seconds that sending a message can be delayed. */
export const maxDelayedSend = 60 * 24 * 3600;
const piece = 256 * 1024;

const mailParameters = [
  ...["HOLDFOR", "HOLDUNTIL", "RET", "ENVID", "REQUIRETLS", "SIZE", "BODY", "SMTPUTF8"],
];
const rcptParameters = ["NOTIFY", "ORCPT"];

function bad(property: string, why: string): SetError {
  return invalidProperties([property], `${property}: ${why}`);
}

function envelopeAddress(value: unknown, property: string, known: string[]): EnvelopeAddress {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw bad(property, "must be an address");
  }
  const { email, parameters, ...more } = value as Record<string, unknown>;
  if (typeof email !== "string" || Object.keys(more).length > 0) {
    throw bad(property, "must be an address");
  }
  const upper: Record<string, string | null> = {};
  if (parameters !== undefined && parameters !== null) {
    if (typeof parameters !== "object" || Array.isArray(parameters)) {
      throw bad(property, "parameters must be an object");
    }
    for (const [name, x] of Object.entries(parameters)) {
      if (!known.includes(name.toUpperCase()) || x !== null && typeof x !== "string") {
        throw bad(property, `there is no parameter ${name.slice(0, 100)}`);
      }
      upper[name.toUpperCase()] = x as string | null;
    }
  }
  return { email, parameters: Object.keys(upper).length === 0 ? null : upper };
}

/** True for an address that mail can be sent to. */
function isMailable(email: string): boolean {
  const at = email.lastIndexOf("@");
  // deno-lint-ignore no-control-regex
  return at > 0 && at <= 64 * 4 && email.length - at <= 256 && !/[\x00-\x20<>\x7f]/.test(email) &&
    email.length > at + 1;
}

/** When to send it, by HOLDFOR or HOLDUNTIL (RFC 4865); undefined for now. */
function holdUntil(p: Record<string, string | null> | null, now: number): number | undefined {
  const at = "envelope/mailFrom/parameters";
  const seconds = p?.HOLDFOR;
  const until = p?.HOLDUNTIL;
  if (seconds !== undefined && until !== undefined) throw bad(at, "HOLDFOR or HOLDUNTIL, not both");
  let ms: number | undefined;
  if (seconds !== undefined) {
    if (!/^\d{1,10}$/.test(seconds ?? "")) throw bad(at, "HOLDFOR must be seconds");
    ms = now + Number(seconds) * 1000;
  } else if (until !== undefined) {
    ms = dateMs(until ?? "");
    if (ms === undefined) throw bad(at, "HOLDUNTIL must be a date");
  }
  if (ms === undefined || ms <= now) return undefined;
  if (ms > now + maxDelayedSend * 1000) {
    throw bad(at, `a message can wait ${maxDelayedSend} seconds`);
  }
  return ms;
}

/** The same in the words of DSNs (RFC 4865 §5.1.2). */
function holdRequest(p: Record<string, string | null> | null): string {
  return p?.HOLDFOR !== undefined ? `for;${p.HOLDFOR}` : `until;${p?.HOLDUNTIL}`;
}

/** Addresses of fields, each once. */
function addressesOf(header: Uint8Array, names: readonly string[]): string[] {
  const found = new Map<string, string>();
  for (const f of splitHeader(header)) {
    if (!names.includes(f.name)) continue;
    for (const a of flattenAddresses(parseAddressList(f.value))) {
      let email: string;
      try {
        email = formatMailbox(a, { smtputf8: true });
      } catch {
        email = `${a.localpart}@${a.domain}`;
      }
      if (!found.has(email)) found.set(email, email);
    }
  }
  return [...found.values()];
}

/** The header without Bcc, for the sent message. */
function withoutBcc(header: Uint8Array): Uint8Array {
  const out = new Uint8Array(header.length);
  let n = 0;
  let drop = false;
  for (let at = 0; at < header.length;) {
    let end = header.indexOf(10, at);
    end = end < 0 ? header.length : end + 1;
    if (header[at] !== 32 && header[at] !== 9) {
      drop = /^bcc[ \t]*:/i.test(
        new TextDecoder().decode(header.subarray(at, Math.min(end, at + 20))),
      );
    }
    if (!drop) {
      out.set(header.subarray(at, end), n);
      n += end - at;
    }
    at = end;
  }
  return out.subarray(0, n);
}

/** Sends a message, and stores the submission. @throws SetError */
export async function submit(
  ctx: MethodContext,
  access: Access,
  o: Record<string, unknown>,
): Promise<{ number: number; submission: Submission }> {
  const { s } = ctx;
  const { account } = access;
  const unknown = Object.keys(o).filter((k) => !["identityId", "emailId", "envelope"].includes(k));
  if (unknown.length > 0) throw invalidProperties(unknown, `can't be given: ${unknown.join(", ")}`);
  const identityNumber = objectNumber(
    "identity",
    typeof o.identityId === "string" ? resolveId(ctx, o.identityId) ?? "" : "",
  );
  const identity = identityNumber === undefined
    ? undefined
    : s.objects.get<Identity>(account.name, "identity", identityNumber);
  if (!identity) throw bad("identityId", "there is no such identity");
  const view = await mailView(access);
  const emailId = typeof o.emailId === "string" ? resolveId(ctx, o.emailId) ?? "" : "";
  const slot = slotOfId(await emailIndex(account), emailId);
  if (slot === undefined) throw bad("emailId", "there is no such email");
  const index = view.index;
  const size = index.size[slot];
  if (size > s.maxMessageSize) {
    throw new SetError("tooLarge", "the message is too large", { maxSize: s.maxMessageSize });
  }
  const number = index.emailAt(slot);
  const structure = emailStructure(account.db, number);
  if (structure === undefined) throw bad("emailId", "there is no such email");
  const bodyOffset = JSON.parse(structure)[1] as number;
  const reader = account.openMessage(number);
  try {
    const header = reader.read(0, bodyOffset);
    const from = addressesOf(header, ["from"]);
    const sender = addressesOf(header, ["sender"])[0] ?? from[0];
    const missing: string[] = [];
    if (from.length === 0) missing.push("from");
    const fields = splitHeader(header);
    if (headerField(fields, "date") === undefined) missing.push("sentAt");
    if (missing.length > 0) {
      throw new SetError("invalidEmail", `the message lacks ${missing.join(", ")}`, {
        properties: missing,
      });
    }
    for (const f of from) {
      if (!maySendAs(s.config, account.name, f)) {
        throw new SetError("forbiddenFrom", `${f} is not one of your addresses`);
      }
    }
    let mailFrom: EnvelopeAddress;
    let rcptTo: EnvelopeAddress[];
    if (o.envelope === undefined || o.envelope === null) {
      mailFrom = { email: sender, parameters: null };
      rcptTo = addressesOf(header, ["to", "cc", "bcc"]).map((email) => ({
        email,
        parameters: null,
      }));
    } else {
      const e = o.envelope as Record<string, unknown>;
      if (
        typeof e !== "object" || Array.isArray(e) || !Array.isArray(e.rcptTo) ||
        Object.keys(e).some((k) => k !== "mailFrom" && k !== "rcptTo")
      ) throw bad("envelope", "needs mailFrom and rcptTo");
      mailFrom = envelopeAddress(e.mailFrom, "envelope/mailFrom", mailParameters);
      rcptTo = e.rcptTo.map((r) => envelopeAddress(r, "envelope/rcptTo", rcptParameters));
      rcptTo = [...new Map(rcptTo.map((r) => [r.email, r])).values()];
    }
    if (!maySendAs(s.config, account.name, mailFrom.email)) {
      throw new SetError("forbiddenMailFrom", `${mailFrom.email} is not one of your addresses`);
    }
    if (rcptTo.length === 0) throw new SetError("noRecipients", "the message has no recipients");
    if (rcptTo.length > maxRecipients) {
      throw new SetError("tooManyRecipients", `a message can go to ${maxRecipients} recipients`, {
        maxRecipients,
      });
    }
    const invalid = rcptTo.filter((r) => !isMailable(r.email)).map((r) => r.email);
    if (invalid.length > 0) {
      throw new SetError("invalidRecipients", `these can't be mailed to: ${invalid.join(", ")}`, {
        invalidRecipients: invalid,
      });
    }
    const now = Date.now();
    const notBefore = holdUntil(mailFrom.parameters, now);
    const head = withoutBcc(header);
    const messageId = (headerField(fields, "message-id") ?? "").replace(/^[^<]*<|>.*$/g, "");
    const status: Record<string, Delivery> = {};
    for (const r of rcptTo) {
      status[r.email] = {
        smtpReply: "250 2.0.0 queued",
        delivered: "queued",
        displayed: "unknown",
      };
    }
    const submission = {
      identityId: o.identityId as string,
      emailId,
      threadId: threadIdOf(index.threadId[slot]),
      envelope: { mailFrom, rcptTo },
      sendAt: notBefore ?? now,
      undoStatus: notBefore === undefined ? "final" as const : "pending" as const,
      deliveryStatus: status,
      queued: [],
      messageId,
      key: `jmap-${crypto.randomUUID()}`,
    };
    const before = await askedAgain(s, account.name, submission);
    if (before !== undefined) return before;
    return await withMessageFile(ctx, async (path) => {
      const file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
      let fileSize = 0;
      let has8bit = false;
      try {
        const write = async (bytes: Uint8Array) => {
          fileSize += bytes.length;
          has8bit ||= bytes.some((x) => x > 127);
          for (let n = 0; n < bytes.length;) n += await file.write(bytes.subarray(n));
        };
        await write(head);
        for (let at = bodyOffset; at < size; at += piece) {
          await write(reader.read(at, Math.min(size, at + piece)));
        }
        await file.syncData();
      } finally {
        file.close();
      }
      const handOver = () =>
        s.submit({
          account: account.name,
          header: head,
          mailFrom: mailFrom.email,
          recipients: rcptTo.map((address) => ({
            address: address.email,
            notify: notifyOf(address.parameters?.NOTIFY),
          })),
          file: path,
          fileSize,
          smtputf8: head.some((x) => x > 127),
          has8bit,
          requireTls: mailFrom.parameters !== null && "REQUIRETLS" in mailFrom.parameters,
          ret: mailFrom.parameters?.RET?.toUpperCase() === "FULL"
            ? "full"
            : mailFrom.parameters?.RET?.toUpperCase() === "HDRS"
            ? "hdrs"
            : undefined,
          envelopeId: mailFrom.parameters?.ENVID ?? undefined,
          notBefore,
          holdRequest: notBefore === undefined ? undefined : holdRequest(mailFrom.parameters),
          messageId: `<${messageId}>`,
          subject: headerField(fields, "subject") ?? "",
          key: submission.key,
        });
      return await keepAndSend(s, account.name, submission, handOver);
    });
  } finally {
    reader.close();
  }
}

type NotifyName = "never" | "success" | "failure" | "delay";

function notifyOf(value: string | null | undefined): NotifyName[] | undefined {
  if (!value) return undefined;
  const names = value.toLowerCase().split(",");
  const known: readonly string[] = ["never", "success", "failure", "delay"];
  if (names.some((n) => !known.includes(n)) || names.includes("never") && names.length > 1) {
    throw bad("envelope/rcptTo", "NOTIFY is wrong");
  }
  return names as NotifyName[];
}
