/**
 * Ways to write records into zones: by RFC 2136, or by the administrator's webhook. Also waits until the
 * written records are visible.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { randomInt } from "node:crypto";
import type { Config, DnsProvider } from "../config/mod.ts";
import { DnsError, type RecordData, type Resolver } from "../dns/mod.ts";
import type { Log } from "../log/mod.ts";
import type { Outbound } from "../net/mod.ts";
import {
  checkAnswer,
  encodeUpdate,
  type TsigKey,
  UpdateError,
  type ZoneChange,
} from "./message.ts";
import { RecordError, type ZoneRecord } from "./records.ts";

/** Milliseconds for one update. */
const updateTimeout = 30_000;
/** Milliseconds between checks for the written records. */
const lookInterval = 2_000;
/** Bytes of a webhook's answer. */
const maxAnswer = 64 * 1024;
/** Bytes of a file with a secret. */
const maxSecretFile = 16 * 1024;

/** Writing failed; the message says where and why. */
export class DnsWriteError extends Error {
  override name = "DnsWriteError";
}

/** What is needed to write. */
export interface WriteServices {
  config: Config;
  outbound: Outbound;
  log: Log;
}

/** The provider for the zone that a name is in, with the zone; undefined if there is none. */
export function providerFor(
  config: Config,
  name: string,
): { id: string; provider: DnsProvider; zone: string } | undefined {
  let best: { id: string; provider: DnsProvider; zone: string } | undefined;
  const lower = name.toLowerCase();
  for (const [id, provider] of config.static.DNSProviders) {
    for (const text of provider.Zones) {
      const zone = text.toLowerCase();
      if (lower !== zone && !lower.endsWith(`.${zone}`)) continue;
      if (best === undefined || zone.length > best.zone.length) best = { id, provider, zone };
    }
  }
  return best;
}

/** Writes changes of names of one zone. @throws DnsWriteError */
export async function writeZone(
  services: WriteServices,
  name: string,
  change: ZoneChange,
): Promise<void> {
  const found = providerFor(services.config, name);
  if (found === undefined) {
    throw new DnsWriteError(`${name} is in no zone of DNSProviders in mox.conf`);
  }
  const { id, provider, zone } = found;
  try {
    if (provider.Update) await byUpdate(services, provider, zone, change);
    else await byWebhook(services, provider, zone, change);
  } catch (err) {
    const why = err instanceof Error ? err.message : String(err);
    throw new DnsWriteError(`DNS provider ${id}, zone ${zone}: ${why}`, { cause: err });
  }
  services.log.info("records written", {
    provider: id,
    zone,
    added: change.add.map((r) => `${r.name} ${r.type}`).join(" "),
    removed: change.remove.map((r) => `${r.name} ${r.type}`).join(" "),
  });
}

async function secretOf(config: Config, file: string): Promise<string> {
  const path = config.configPath(file);
  const { size } = await Deno.stat(path);
  if (size > maxSecretFile) throw new DnsWriteError(`${path} is too large for a secret`);
  return (await Deno.readTextFile(path)).trim();
}

async function byUpdate(
  services: WriteServices,
  provider: DnsProvider,
  zone: string,
  change: ZoneChange,
): Promise<void> {
  const u = provider.Update!;
  const secret = Buffer.from(await secretOf(services.config, u.KeyFile), "base64");
  if (secret.length < 16) {
    throw new DnsWriteError(`${u.KeyFile}: expected a secret of 16 bytes or more, in base64`);
  }
  const key: TsigKey = { name: u.KeyName, algorithm: u.Algorithm || "hmac-sha256", secret };
  const update = encodeUpdate({
    id: randomInt(0x10000),
    zone,
    change,
    ttl: Math.max(1, Math.floor(provider.TTL / 1000)),
    key,
    now: Date.now(),
  });
  const answer = await exchange(services, u.Server, u.Port || 53, update.bytes);
  checkAnswer(answer, update, key, Date.now());
}

/** Sends a message over TCP, preceded by its length (RFC 1035 §4.2.2); returns the answer. */
async function exchange(
  services: WriteServices,
  host: string,
  port: number,
  message: Uint8Array,
): Promise<Uint8Array> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), updateTimeout);
  const bare = host.includes(":") ? `[${host}]` : host;
  try {
    const socket = await services.outbound.connect({
      url: new URL(`http://${bare}:${port}`),
      // The administrator's own choice, often next to this host.
      rule: undefined,
      signal: late.signal,
    });
    try {
      return await new Promise<Uint8Array>((resolve, reject) => {
        const received = Buffer.alloc(2 + 0xffff);
        let size = 0;
        late.signal.addEventListener("abort", () => reject(new UpdateError("no answer in time")));
        socket.on("error", reject);
        const over = () => reject(new UpdateError("the connection ends before an answer"));
        socket.on("end", over);
        socket.on("close", over);
        socket.on("data", (piece: Uint8Array) => {
          size += Buffer.from(piece.buffer, piece.byteOffset, piece.length).copy(received, size);
          if (size >= 2 && size >= 2 + received.readUInt16BE(0)) {
            resolve(Uint8Array.from(received.subarray(2, 2 + received.readUInt16BE(0))));
          }
        });
        socket.write(
          Buffer.concat([Buffer.of(message.length >> 8, message.length & 255), message]),
        );
      });
    } finally {
      socket.destroy();
    }
  } finally {
    clearTimeout(timer);
  }
}

async function byWebhook(
  services: WriteServices,
  provider: DnsProvider,
  zone: string,
  change: ZoneChange,
): Promise<void> {
  const w = provider.Webhook!;
  const headers: Record<string, string> = { "Content-Type": "application/json" };
  if (w.AuthorizationFile !== "") {
    headers.Authorization = await secretOf(services.config, w.AuthorizationFile);
  }
  const shown = (r: ZoneRecord) => ({ name: r.name, type: r.type, data: r.data });
  const answer = await services.outbound.request({
    url: new URL(w.URL),
    method: "POST",
    headers,
    body: JSON.stringify({
      zone,
      ttl: Math.floor(provider.TTL / 1000),
      remove: change.remove.map(shown),
      add: change.add.map(shown),
    }),
    rule: undefined,
    timeout: updateTimeout,
    maxBytes: maxAnswer,
  });
  if (answer.status < 200 || answer.status > 299) {
    // deno-lint-ignore no-control-regex
    const text = new TextDecoder().decode(answer.body).replace(/[\x00-\x1f\x7f]+/g, " ").trim();
    throw new DnsWriteError(`the webhook answers ${answer.status} ${text.slice(0, 300)}`.trim());
  }
}

/**
 * The records of a name and type in the DNS, as zone file data; [] if there are none. @throws DnsError for
 * temporary failures
 */
export async function recordsThere(
  resolver: Resolver,
  name: string,
  type: ZoneRecord["type"],
): Promise<string[]> {
  try {
    const { records } = await resolver.lookup(name, type as "TXT");
    return (records as unknown as RecordData[keyof RecordData][]).map((r) => dataText(type, r));
  } catch (err) {
    if (err instanceof DnsError && !err.temporary) return [];
    throw err;
  }
}

function dataText(type: ZoneRecord["type"], r: unknown): string {
  const o = r as Record<string, unknown>;
  switch (type) {
    case "MX":
      return `${o.preference} ${absolute(o.exchange)}`;
    case "SRV":
      return `${o.priority} ${o.weight} ${o.port} ${absolute(o.target)}`;
    case "TLSA":
      return `${o.usage} ${o.selector} ${o.matchingType} ${
        Buffer.from(o.data as Uint8Array).toString("hex")
      }`;
    case "CNAME":
      return absolute(r);
    default:
      return String(r);
  }
}

const absolute = (name: unknown) => `${String(name).replace(/\.$/, "")}.`;

/** Data in a form in which equal records are equal. */
export function normalData(r: Pick<ZoneRecord, "type" | "data">): string {
  if (r.type === "TXT") return r.data;
  return r.data.toLowerCase().replace(/"/g, "").replace(/\s+/g, " ").replace(/\.$/, "").trim();
}

/**
 * Waits until records are visible, or removed ones no longer are.
 * @param fresh makes a resolver with an empty cache
 * @returns those that are still not as they should be when time is up
 */
export async function waitSeen(
  fresh: () => Resolver,
  change: ZoneChange,
  ms: number,
  signal?: AbortSignal,
): Promise<ZoneRecord[]> {
  const until = Date.now() + ms;
  for (;;) {
    const resolver = fresh();
    const missing: ZoneRecord[] = [];
    for (const [records, wanted] of [[change.add, true], [change.remove, false]] as const) {
      for (const r of records) {
        const there = await recordsThere(resolver, r.name, r.type).catch(() => undefined);
        const has = there?.some((data) => normalData({ ...r, data }) === normalData(r));
        if (has !== wanted) missing.push(r);
      }
    }
    if (missing.length === 0 || Date.now() + lookInterval > until || signal?.aborted) {
      return missing;
    }
    await new Promise((resolve) => setTimeout(resolve, lookInterval));
  }
}

export { RecordError, UpdateError };
