/** `mox sendmail` through a submission server elsewhere, configured in moxsubmit.conf. @module */
import { parseAddress } from "../config/names.ts";
import { makeResolver } from "../dns/mod.ts";
import { Log } from "../log/mod.ts";
import { flattenAddresses, parseAddressList } from "../mail/address/address.ts";
import { headerField, splitHeader } from "../mail/header/header.ts";
import { parseMessage } from "../mail/structure/structure.ts";
import { connectTcp } from "../net/mod.ts";
import type { MechanismName } from "../sasl/mod.ts";
import { openOutbound } from "../serve/outbound.ts";
import { normalize, type ProgramMessage } from "../serve/sending/submit.ts";
import { SmtpClient, SmtpClientError } from "../smtp/client/mod.ts";
import type { SubmitConfig } from "./sendmail_config.ts";

/** A message to submit. */
interface Prepared {
  bytes: Uint8Array;
  mailFrom: string;
  recipients: string[];
}

/** The address for a local name, such as root. */
function complete(config: SubmitConfig, address: string): string {
  if (address.includes("@")) return address;
  return config.DefaultDestination !== ""
    ? config.DefaultDestination
    : `${address}@${config.LocalHostname}`;
}

function prepare(config: SubmitConfig, message: ProgramMessage): Prepared {
  let bytes = Uint8Array.from(normalize(message.message), (x) => x.charCodeAt(0));
  const fields = splitHeader(parseMessage(bytes).root.header ?? new Uint8Array(0));
  const recipients = message.recipients.map((r) => complete(config, r));
  if (message.fromHeader) {
    for (const f of fields.filter((f) => ["to", "cc", "bcc"].includes(f.name))) {
      for (const a of flattenAddresses(parseAddressList(f.value))) {
        recipients.push(
          a.domain === "" ? complete(config, a.localpart) : `${a.localpart}@${a.domain}`,
        );
      }
    }
    bytes = withoutField(bytes, "bcc");
  }
  for (const r of recipients) parseAddress(r);
  const mailFrom = message.from.includes("@") ? message.from : config.From;
  let prefix = config.ExtraHeaders.map((h) => `${h}\r\n`).join("");
  if (headerField(fields, "date") === undefined) {
    prefix += `Date: ${new Date().toUTCString().replace("GMT", "+0000")}\r\n`;
  }
  if (headerField(fields, "message-id") === undefined) {
    prefix += `Message-ID: <${crypto.randomUUID()}@${config.LocalHostname}>\r\n`;
  }
  if (headerField(fields, "from") === undefined) prefix += `From: <${mailFrom}>\r\n`;
  const head = new TextEncoder().encode(prefix);
  const all = new Uint8Array(head.length + bytes.length);
  all.set(head);
  all.set(bytes, head.length);
  return { bytes: all, mailFrom, recipients: [...new Set(recipients)] };
}

/** Submits a message. @throws Error with the server's answer */
export async function submitElsewhere(
  config: SubmitConfig,
  message: ProgramMessage,
): Promise<void> {
  const p = prepare(config, message);
  if (p.recipients.length === 0) throw new Error("no recipients");
  const outbound = openOutbound(
    { TLS: { CA: undefined }, AllowedUserNetworks: [] },
    "/",
    makeResolver(),
  );
  let failure: unknown;
  for (const ip of await outbound.addresses(config.Host)) {
    try {
      const connection = await connectTcp({ host: ip, port: config.Port });
      const client = await SmtpClient.start(connection, {
        log: new Log("smtpclient"),
        hostname: config.LocalHostname,
        tls: config.TLS ? "immediate" : config.STARTTLS ? "required" : "never",
        clientTls: { serverName: config.Host, verify: true, authorities: outbound.authorities },
        auth: {
          username: config.Username,
          password: config.Password,
          mechanisms: config.AuthMethod === "" ? undefined : [config.AuthMethod as MechanismName],
        },
      });
      try {
        const outcomes = await client.send({
          mailFrom: p.mailFrom,
          recipients: p.recipients.map((address) => ({ address })),
          size: p.bytes.length,
          body: p.bytes.some((b) => b >= 128) ? "8bit" : "7bit",
          smtpUtf8: false,
          requireTls: config.RequireTLS === "yes",
        }, () => [p.bytes]);
        const refused = outcomes.flatMap((o, i) =>
          o instanceof SmtpClientError ? [`${p.recipients[i]}: ${o.message}`] : []
        );
        if (refused.length > 0) throw new Error(refused.join("; "));
        return;
      } finally {
        await client.quit();
      }
    } catch (err) {
      failure = err;
      // Trying another address only helps if nobody answered.
      if (!(err instanceof SmtpClientError) || err.phase !== "connect") {
        if (!(err instanceof Error && /connect|refused|unreachable/i.test(err.message))) throw err;
      }
    }
  }
  throw failure ?? new Error(`${config.Host} has no address`);
}

/** The message without header fields of that name. */
function withoutField(bytes: Uint8Array, name: string): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes.length);
  let n = 0;
  let at = 0;
  let drop = false;
  while (at < bytes.length) {
    let end = bytes.indexOf(10, at);
    end = end < 0 ? bytes.length : end + 1;
    if (bytes[at] === 13 || bytes[at] === 10) break;
    if (bytes[at] !== 32 && bytes[at] !== 9) {
      const start = new TextDecoder().decode(
        bytes.subarray(at, Math.min(end, at + name.length + 1)),
      );
      drop = start.toLowerCase() === `${name}:`;
    }
    if (!drop) {
      out.set(bytes.subarray(at, end), n);
      n += end - at;
    }
    at = end;
  }
  out.set(bytes.subarray(at), n);
  return out.slice(0, n + bytes.length - at);
}
