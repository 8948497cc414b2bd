/**
 * The SMTP envelope of a caught message, as a field that localserve puts in front of its header.
 *
 * The value is JSON in ASCII, folded between its items. It is only ever read from the part of a message that this server
 * wrote itself.
 *
 * @module
 */

/** A recipient with its RCPT parameters (RFC 3461). */
export interface EnvelopeRecipient {
  Address: string;
  /** NOTIFY, such as "SUCCESS,FAILURE"; left out if not given. */
  Notify?: string;
  /** ORCPT as type;address; left out if not given. */
  OriginalRecipient?: string;
}

/** The data of MAIL, RCPT and the session. */
export interface Envelope {
  /** "" for the null reverse path. */
  From: string;
  To: EnvelopeRecipient[];
  /** Argument of EHLO or HELO. */
  Helo: string;
  RemoteIP: string;
  /** Such as "TLSv1.3"; "" without TLS. */
  TLS: string;
  /** Login name of AUTH; "" without. */
  Username: string;
  /** BODY, SMTPUTF8, RET, ENVID and the like, as given. */
  Parameters: string[];
  /** Line ends that were not CRLF have been repaired. */
  RepairedLineEnds: boolean;
}

const fieldName = "X-Mox-Envelope";
/** A note for people who read the source. */
const note = "X-Mox-Note: line ends were not CRLF; real mail servers may refuse such a message\r\n";

const ascii = (json: string) =>
  json.replaceAll(
    /[^\x20-\x7e\t]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

/** The field with its CRLF, and a note if the message has a defect. */
export function envelopeField(envelope: Envelope): string {
  const { To, ...rest } = envelope;
  const items = Object.entries(rest).map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`);
  const recipients = To.map((r) => JSON.stringify(r));
  const folded = `{${items.join(",\r\n\t")},\r\n\t"To":[${recipients.join(",\r\n\t")}]}`;
  return `${fieldName}: ${folded.split("\r\n").map(ascii).join("\r\n")}\r\n` +
    (envelope.RepairedLineEnds ? note : "");
}

/** The envelope in a message's own prefix; undefined for messages that did not come by SMTP here. */
export function readEnvelope(prefix: Uint8Array): Envelope | undefined {
  const text = new TextDecoder("latin1").decode(prefix);
  const at = text.startsWith(`${fieldName}: `) ? 0 : text.indexOf(`\n${fieldName}: `) + 1;
  if (at === 0 && !text.startsWith(`${fieldName}: `)) return undefined;
  const start = at + fieldName.length + 2;
  let end = start;
  do {
    end = text.indexOf("\r\n", end + 1);
    if (end < 0) return undefined;
  } while (text[end + 2] === "\t");
  try {
    return JSON.parse(text.slice(start, end));
  } catch {
    return undefined;
  }
}

const lower = (a: { address: string }) => a.address.toLowerCase();

/** Recipients missing in the header: they were in Bcc. */
export function hiddenRecipients(
  recipients: readonly string[],
  named: readonly { address: string }[],
): string[] {
  const known = new Set(named.map(lower));
  const hidden = recipients.filter((r) => !known.has(r.toLowerCase()));
  return [...new Map(hidden.map((r) => [r.toLowerCase(), r])).values()];
}
