/** Why a message is where it is, and what is to be noticed of it. @module */
import type { Why } from "../../../../webmail/api/mod.ts";
import { explainReason } from "../../../delivery/explained.ts";
import { messageText } from "../../../delivery/message_text.ts";
import { correspondentsOf, suspectOf } from "../../../delivery/suspicion/message.ts";
import { signalsOf, suspicionOf, suspicious } from "../../../delivery/suspicion/mod.ts";
import { headerField, splitHeader } from "../../../mail/header/header.ts";
import type { Account } from "../../../store/account/account.ts";
import type { Summary } from "../../../store/messages/summary.ts";
import { headerFields, type MessageContent } from "./content.ts";

/** Below this weight together, what is noticed is not worth a reader's time. */
const worthShowing = 3;

/**
 * From the field that this server put before the message when it came in, and from the message itself. Null for
 * messages that did not come in over SMTP.
 */
export function whyOf(
  account: Account,
  content: MessageContent,
  summary: Summary,
  verified: boolean,
): Why | null {
  const value = headerField(splitHeader(content.prefix), "x-mox-reason");
  if (value === undefined) return null;
  const text = messageText(content.root, (from, to) => content.reader.read(from, to));
  const suspect = suspectOf(
    { summary, fields: headerFields(content) },
    text,
    verified,
    correspondentsOf(account.db),
  );
  const signals = signalsOf(suspect);
  const weight = suspicionOf(signals);
  const { reason, sentence, score, good, junk } = explainReason(value);
  return {
    reason,
    sentence,
    score: score ?? null,
    good,
    junk,
    signals: weight >= worthShowing ? signals.map((s) => s.text) : [],
    warning: weight >= suspicious,
  };
}
