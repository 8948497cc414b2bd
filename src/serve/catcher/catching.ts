/**
 * How localserve keeps what it catches: one message per transaction and account, with its envelope in front,
 * envelope-only recipients searchable like Bcc, and the message's tags.
 *
 * @module
 */
import { headerText } from "../../mail/header/header.ts";
import { addressText, type IncomingMessage } from "../../smtp/server/mod.ts";
import type { Account } from "../../store/account/account.ts";
import { maxKeywordsPerMailbox } from "../../store/mailboxes/keywords.ts";
import type { EmailDescription } from "../../store/messages/describe.ts";
import { type Envelope, envelopeField, hiddenRecipients } from "../../web/catcher/envelope.ts";
import { forgetUnusedTags, tagKeyword, tagsBrought } from "../../web/catcher/tags.ts";
import type { Incoming } from "../arrival/incoming.ts";
import type { Plan } from "../arrival/plan.ts";

/** Keeps, for each account, only the first recipient that leads to it: one copy is enough. */
export function onePerAccount(plans: Plan[]): void {
  const taken = new Set<string>();
  for (const plan of plans) {
    if (plan.list) continue;
    plan.targets = plan.targets.filter((t) => !taken.has(t.account));
    for (const t of plan.targets) taken.add(t.account);
  }
}

const recipientsOf = (m: Incoming) => m.transaction.recipients.map((r) => addressText(r.address));

/** The fields in front of a caught message. */
export function envelopePrefix(incoming: Incoming, message: IncomingMessage): string {
  const { session, transaction: t } = incoming;
  const parameters = [
    ...(t.body === "7bit" ? [] : [`BODY=${t.body.toUpperCase()}`]),
    ...(t.smtpUtf8 ? ["SMTPUTF8"] : []),
    ...(t.requireTls ? ["REQUIRETLS"] : []),
    ...(t.ret === undefined ? [] : [`RET=${t.ret.toUpperCase()}`]),
    ...(t.envelopeId === undefined ? [] : [`ENVID=${t.envelopeId}`]),
    ...(t.declaredSize === undefined ? [] : [`SIZE=${t.declaredSize}`]),
  ];
  const envelope: Envelope = {
    From: t.mailFrom ? addressText(t.mailFrom) : "",
    To: t.recipients.map((recipient) => ({
      Address: addressText(recipient.address),
      ...(recipient.notify && { Notify: recipient.notify.join(",").toUpperCase() }),
      ...(recipient.originalRecipient && {
        OriginalRecipient:
          `${recipient.originalRecipient.type};${recipient.originalRecipient.address}`,
      }),
    })),
    Helo: session.hello.name,
    RemoteIP: session.remoteIp,
    TLS: session.tls?.version ?? "",
    Username: session.username ?? "",
    Parameters: parameters,
    RepairedLineEnds: message.repairedLineEnds,
  };
  return envelopeField(envelope);
}

/** The description with the recipients that the header doesn't name, as Bcc. */
export function withEnvelope(incoming: Incoming, description: EmailDescription): EmailDescription {
  const { to, cc, bcc } = description.summary;
  const hidden = hiddenRecipients(recipientsOf(incoming), [...to, ...cc, ...bcc]);
  if (hidden.length === 0) return description;
  const added = hidden.map((address) => ({ name: "", address }));
  return { ...description, summary: { ...description.summary, bcc: [...bcc, ...added] } };
}

/** Keywords that a mailbox may have besides those of new tags. */
const spareKeywords = 100;
/** Milliseconds between two searches for tags that no message has any more. */
const forgetPause = 10_000;
const forgotten = new WeakMap<Account, number>();

/**
 * Keywords for a message's tags. If the mailbox has almost as many keywords as it can have, only those that it
 * knows; tags that only removed messages had are then forgotten soon.
 */
export function broughtKeywords(
  incoming: Incoming,
  account: Account,
  mailboxName: string,
): string[] {
  const xTags = headerText(incoming.arrived.description.fields, "x-tags");
  const tags = tagsBrought(recipientsOf(incoming), xTags, incoming.session.username ?? "");
  const keywords = tags.map(tagKeyword);
  const mailbox = account.mailboxByName(mailboxName);
  if (mailbox === undefined || mailbox.keywords.length <= maxKeywordsPerMailbox - spareKeywords) {
    return keywords;
  }
  const now = performance.now();
  if (now - (forgotten.get(account) ?? -Infinity) > forgetPause) {
    forgotten.set(account, now);
    forgetUnusedTags([{ account, mailboxId: mailbox.id }]).catch((err) => {
      account.log.error("forgetting unused tags", { err });
    });
  }
  const known = new Set(mailbox.keywords.map((k) => k.toLowerCase()));
  return keywords.filter((k) => known.has(k.toLowerCase()));
}
