/** How a message came in. @module */
import type { Db } from "../database/database.ts";

/** Facts about a delivery for programs and people. */
export interface DeliveryRecord {
  remoteIp: string;
  mailFrom: string;
  mailFromValidated: boolean;
  rcptTo: string;
  msgFrom: string;
  msgFromValidated: boolean;
  /** The name of a Validation, such as "pass" or "dmarc". */
  mailFromValidation: string;
  msgFromValidation: string;
  dkimDomains: string[];
  isReject: boolean;
  isForward: boolean;
  isMailingList: boolean;
}

/** How a message came in; undefined for one that didn't come by SMTP. */
export function deliveryRecord(db: Db, messageId: number): DeliveryRecord | undefined {
  const r = db.get(
    "SELECT remote_ip, mail_from_localpart, mail_from_domain, mail_from_validated, " +
      "rcpt_to_localpart, rcpt_to_domain, msg_from_localpart, msg_from_domain, msg_from_validated, " +
      "mail_from_validation, msg_from_validation, is_reject, is_forward, is_list " +
      "FROM deliveries WHERE message_id = ?",
    messageId,
  );
  if (!r) return undefined;
  const address = (at: number) => r[at + 1] === "" ? "" : `${r[at]}@${r[at + 1]}`;
  return {
    remoteIp: r[0],
    mailFrom: address(1),
    mailFromValidated: r[3] === 1,
    rcptTo: address(4),
    msgFrom: address(6),
    msgFromValidated: r[8] === 1,
    mailFromValidation: r[9],
    msgFromValidation: r[10],
    isReject: r[11] === 1,
    isForward: r[12] === 1,
    isMailingList: r[13] === 1,
    dkimDomains: db.all(
      "SELECT domain FROM dkim_domains WHERE message_id = ? ORDER BY domain",
      messageId,
    ).map((row) => row[0]),
  };
}
