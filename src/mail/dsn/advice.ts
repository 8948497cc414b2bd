/** What the sender of a failed message can do, by enhanced status code (RFC 3463). @module */

/** By the code without its class, specific codes before general ones. */
const byStatus: readonly [prefix: string, advice: string][] = [
  ["1.2", "There is no such domain. Check what stands behind the @ for typing mistakes."],
  [
    "1.7",
    "The server does not accept your address as sender. Ask the administrator of your mail server.",
  ],
  [
    "1.8",
    "The server does not accept your address as sender. Ask the administrator of your mail server.",
  ],
  ["1.10", "The domain takes no mail at all. Reach the recipient in another way."],
  [
    "1.",
    "The address does not exist there. Check it for typing mistakes, or ask the recipient for the one " +
    "that is right.",
  ],
  [
    "2.2",
    "The recipient's mailbox is full. Try again later, or tell the recipient in another way.",
  ],
  [
    "2.3",
    "The message is too large for the recipient. Send less, or a link in place of attachments.",
  ],
  ["2.", "The recipient's mailbox takes no mail now. Reach the recipient in another way."],
  ["3.4", "The message is too large for the server. Send less, or a link in place of attachments."],
  [
    "4.6",
    "Mail for this domain goes round in circles. Tell the recipient, or who runs that domain, in another way.",
  ],
  [
    "4.",
    "The server for these addresses could not be reached. Check what stands behind the @, or try again " +
    "in a day or two.",
  ],
  [
    "6.7",
    "The server does not take addresses or subjects with letters beyond a to z. Ask the recipient for " +
    "another address, or write the message without them.",
  ],
  [
    "6.",
    "The server can't take the message in its form. Send it as plain text, or with other attachments.",
  ],
  [
    "7.30",
    "You asked for delivery over verified TLS only, and the server does not have that. Send the message " +
    "without that demand if it may travel less well protected.",
  ],
  [
    "7.",
    "The server refuses the message by its rules. If it says why, mend that; else ask the recipient to " +
    "have their administrator let you through.",
  ],
];

/** A sentence or two, in words that everybody understands. */
export function advice(status: string): string {
  const detail = status.slice(status.indexOf(".") + 1);
  const found = byStatus.find(([p]) => p.endsWith(".") ? detail.startsWith(p) : detail === p);
  return found?.[1] ??
    "Check the address, or reach the recipient in another way. If it happens again, show this message to " +
      "the administrator of your mail server.";
}
