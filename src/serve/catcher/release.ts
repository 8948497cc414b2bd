/** Releasing caught messages to a real server, as far as allowed at the start. @module */
import { Log } from "../../log/mod.ts";
import { connectTcp } from "../../net/mod.ts";
import { SmtpClient, SmtpClientError } from "../../smtp/client/mod.ts";
import { HttpError } from "../../web/http/mod.ts";
import type { CatcherServices } from "../../web/catcher/mod.ts";

/** A server to release messages to. */
export interface Relay {
  host: string;
  port: number;
  /** Addresses and domains (`@example.org`) that may be sent to; all if empty. */
  allow: readonly string[];
}

/** A relay as it is given on the command line. @throws Error */
export function parseRelay(text: string, allow: string): Relay {
  const parts = /^\[?([^\]\s]+?)\]?(?::(\d{1,5}))?$/.exec(text);
  const port = Number(parts?.[2] ?? 25);
  if (parts === null || port < 1 || port > 65_535) {
    throw new Error(`-relay is host:port, not ${JSON.stringify(text)}`);
  }
  const allowed = allow.split(",").map((a) => a.trim().toLowerCase()).filter((a) => a !== "");
  for (const a of allowed) {
    if (!a.includes("@")) {
      throw new Error(`-relay-allow has addresses and @domains, not ${JSON.stringify(a)}`);
    }
  }
  return { host: parts[1], port, allow: allowed };
}

const requestTimeout = 60_000;

/** The API's way to release messages. */
export function releaseBy(relay: Relay, hostname: string): CatcherServices["release"] {
  const log = new Log("catcher");
  return {
    server: `${relay.host}:${relay.port}`,
    refusal(address) {
      const at = address.lastIndexOf("@");
      if (at <= 0 || /[\s<>]/.test(address)) return `${JSON.stringify(address)} is not an address`;
      const lower = address.toLowerCase();
      if (relay.allow.length === 0) return undefined;
      if (relay.allow.some((a) => a === lower || (a.startsWith("@") && lower.endsWith(a)))) {
        return undefined;
      }
      return `messages may not be released to ${address}: -relay-allow has ${
        relay.allow.join(", ")
      }`;
    },
    async send(mailFrom, to, message, size) {
      let client: SmtpClient | undefined;
      try {
        const connection = await connectTcp({
          host: relay.host,
          port: relay.port,
          timeout: requestTimeout,
        });
        client = await SmtpClient.start(connection, {
          log,
          hostname,
          tls: "offered",
          clientTls: { serverName: relay.host, verify: false },
        });
        const outcomes = await client.send({
          mailFrom,
          recipients: to.map((address) => ({ address })),
          size,
          body: "8bit",
          smtpUtf8: false,
        }, message);
        for (const [i, o] of outcomes.entries()) {
          if (o instanceof SmtpClientError) throw new HttpError(400, `${to[i]}: ${o.text}`);
        }
        await client.quit();
      } catch (err) {
        client?.connection.destroy();
        if (err instanceof HttpError) throw err;
        throw new HttpError(400, `${relay.host}: ${(err as Error).message}`, {}, { cause: err });
      }
    },
  };
}
