/** Metrics of outcomes by recipient, and time limits for aliases with many members. */
import { counter } from "../../metrics/mod.ts";
import { SmtpError } from "../../smtp/server/mod.ts";

export const deliveries = counter(
  "mox_smtpserver_delivery_total",
  "Recipients of incoming messages, by result; a member of an alias counts as one.",
  { result: ["delivered", "reject", "forwarded", "relayed", "later", "refused", "error"] },
);
/**
 * Milliseconds for deciding about the members of an alias, and as many for delivering to them; the remaining members
 * get the message from the queue. RFC 5321 §4.5.3.2.6: the sender waits ten minutes for the answer, some senders less.
 */
export const memberTime = 60_000;

export const tooMany = () =>
  new SmtpError(451, "3.2", "alias has more members than can be served at once");
