/** Vacation replies. @module */
import type { Account as AccountConfig } from "../../config/mod.ts";
import {
  composeReply,
  isAway,
  noReplyReason,
  readVacation,
  vacationSetting,
} from "../../delivery/vacation.ts";
import { counter } from "../../metrics/mod.ts";
import { withTempFile } from "../../platform/files.ts";
import { type Address, addressText, needsUtf8 } from "../../smtp/server/mod.ts";
import type { Account } from "../../store/account/account.ts";
import { organizationalDomain } from "../../store/messages/describe.ts";
import { accountSetting } from "../../store/account/settings.ts";
import type { DeliveryFacts } from "../../store/types.ts";
import { claimVacationReply } from "../../store/account/vacation_replies.ts";
import { queueOutgoing } from "../sending/outgoing.ts";
import type { Incoming } from "../arrival/incoming.ts";
import type { ReceivingServices } from "../arrival/services.ts";
import type { Plan } from "../arrival/plan.ts";

const replies = counter(
  "mox_vacation_total",
  "Messages for accounts whose users are away, by what became of the reply.",
  { result: ["sent", "unfit", "recent"] },
);
/** Replies of an account in 24 hours: protects against endless streams of senders. */
const perDay = 500;

/** The envelope sender is verified by SPF or a signature. */
function isVerified(mailFrom: Address, facts: DeliveryFacts): boolean {
  if (facts.mailFromValidation === "pass") return true;
  const organization = organizationalDomain(mailFrom.domain);
  return facts.dkimDomains.some((d) => organizationalDomain(d) === organization);
}

/** Sends a reply to the sender of a message that was delivered, if one is due. @throws file errors */
export async function replyIfAway(
  services: ReceivingServices,
  incoming: Incoming,
  plan: Plan,
  account: Account,
  conf: AccountConfig,
): Promise<void> {
  const now = services.now();
  const vacation = readVacation(accountSetting(account, vacationSetting));
  if (!isAway(vacation, now)) return;
  const { log } = incoming.session;
  const { mailFrom } = incoming.transaction;
  const { fields, summary } = incoming.arrived.description;
  const facts = incoming.sender.factsFor(plan.recipient.address);
  const reason = plan.alias ? "to an alias" : noReplyReason({
    mailFrom,
    verified: mailFrom !== undefined && isVerified(mailFrom, facts),
    fields,
    summary,
    isOwn: (address) => services.config.accountFor(address) === account.name,
  });
  if (reason !== undefined || mailFrom === undefined) {
    replies.inc({ result: "unfit" });
    log.debug("no vacation reply", { account: account.name, reason });
    return;
  }
  const to = addressText(mailFrom);
  if (!await claimVacationReply(account, to, { days: vacation.days, perDay }, now)) {
    replies.inc({ result: "recent" });
    return;
  }
  const own = plan.recipient.address;
  const messageId = `${crypto.randomUUID()}@${services.config.static.Hostname}`;
  const smtputf8 = needsUtf8(mailFrom) || needsUtf8(own);
  const destination = plan.targets.find((t) => t.account === account.name)?.destination;
  const bytes = composeReply({
    vacation,
    from: { name: destination?.FullName || conf.FullName, ...own },
    to: { name: "", ...mailFrom },
    summary,
    messageId,
    now: new Date(now),
    smtputf8,
  });
  await withTempFile(services.tempDir, "vacation-", bytes, (path) =>
    queueOutgoing(services, {
      // Lower priority than mail that people have written.
      priority: -1,
      senderAccount: account.name,
      fromDomain: own.domain,
      // RFC 3834 §3.3: it must not cause bounces.
      mailFrom: "",
      recipients: [{ address: to, notify: ["never"] }],
      file: path,
      fileSize: bytes.length,
      prefix: new Uint8Array(0),
      smtputf8,
      has8bit: bytes.some((b) => b >= 128),
      requireTls: incoming.transaction.requireTls,
      messageId,
      subject: vacation.subject || `Auto: ${summary.subject}`,
      isDsn: true,
    }));
  replies.inc({ result: "sent" });
  log.info("vacation reply queued", { account: account.name, to });
}
