/** Queries and responses as bytes, over dns-packet. @module */
import packet from "dns-packet";
import { Buffer } from "node:buffer";
import { normalizeName } from "./names.ts";
import { formatIp, parseIp } from "./ip.ts";
import type { MxRecord, RecordData, RecordType, SrvRecord, TlsaRecord } from "./types.ts";

/** Small enough not to be fragmented in transit (DNS flag day 2020). */
const UDP_PAYLOAD_SIZE = 1232;

/** Extended DNS error codes that mean failed DNSSEC validation (RFC 8914 §4). */
const bogusCodes = new Set([1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 25, 27]);

/** A response reduced to the requested records. */
export interface Response {
  truncated: boolean;
  /** The resolver claims to have authenticated everything. */
  authenticData: boolean;
  rcode: string;
  /** It reports this in an extended DNS error. */
  bogus: boolean;
  /** Records of class IN in the answer section, of the requested type or CNAME, by owner name. */
  answers: { owner: string; type: string; ttl: number; data: unknown }[];
  /** Seconds that a denial may be cached, from the SOA record (RFC 2308 §5); undefined without one. */
  negativeTtl?: number;
}

/** The bytes of a recursive query with EDNS0 and DO, which also asks for the AD flag. */
export function encodeQuery(id: number, name: string, type: RecordType): Uint8Array {
  return packet.encode({
    type: "query",
    id,
    flags: packet.RECURSION_DESIRED | packet.AUTHENTIC_DATA,
    questions: [{ type, name, class: "IN" }],
    additionals: [{
      type: "OPT",
      name: ".",
      udpPayloadSize: UDP_PAYLOAD_SIZE,
      extendedRcode: 0,
      ednsVersion: 0,
      flags: packet.DNSSEC_OK,
      flag_do: true,
      options: [],
    }],
  });
}

/**
 * Reads a response, undefined if it is none to this question: then it is to be ignored, as a
 * forger may have sent it, and the right one may still come (RFC 5452 §9.1). Throws on bytes that
 * carry the right id but can't be read.
 */
export function decodeResponse(
  bytes: Uint8Array,
  id: number,
  name: string,
  type: RecordType,
): Response | undefined {
  if (bytes.length < 12 || (bytes[0] << 8 | bytes[1]) !== id || (bytes[2] & 0x80) === 0) {
    return undefined;
  }
  const truncated = (bytes[2] & 0x02) !== 0;
  let p: packet.DecodedPacket & { rcode: string };
  try {
    p = packet.decode(
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    ) as typeof p;
  } catch (err) {
    // It may be truncated in the middle of a record; it is queried again over TCP.
    if (!truncated) throw err;
    return { truncated, authenticData: false, rcode: "NOERROR", bogus: false, answers: [] };
  }
  const question = p.questions?.[0];
  if (
    p.questions?.length !== 1 || question?.type !== type || question.class !== "IN" ||
    normalizeName(question.name) !== name
  ) return undefined;

  const response: Response = {
    truncated,
    authenticData: (bytes[3] & 0x20) !== 0,
    rcode: p.rcode,
    bogus: false,
    answers: [],
  };
  for (const a of p.additionals ?? []) {
    if (a.type !== "OPT") continue;
    for (const o of a.options as { code: number; data?: Uint8Array }[]) {
      if (o.code === 15 && o.data && o.data.length >= 2) {
        response.bogus ||= bogusCodes.has(o.data[0] << 8 | o.data[1]);
      }
    }
  }
  for (const a of p.answers ?? []) {
    if (a.type !== type && a.type !== "CNAME") continue;
    const { class: cls, ttl, data } = a as { class?: string; ttl?: number; data: unknown };
    const owner = normalizeName(a.name);
    if (cls !== "IN" || owner === undefined) continue;
    response.answers.push({ owner, type: a.type, ttl: usableTtl(ttl), data });
  }
  for (const a of p.authorities ?? []) {
    if (a.type !== "SOA") continue;
    const { ttl, data } = a as { ttl?: number; data: { minimum?: number } };
    response.negativeTtl = Math.min(usableTtl(ttl), usableTtl(data.minimum));
  }
  return response;
}

/** RFC 2181 §8: a TTL with the top bit set counts as 0. */
function usableTtl(ttl: number | undefined): number {
  return ttl === undefined || ttl < 0 || ttl > 0x7fffffff ? 0 : ttl;
}

/** The typed form of a record's data; undefined if it is malformed. */
export function recordData<K extends RecordType>(type: K, data: unknown): RecordData[K] | undefined;
export function recordData(type: RecordType, data: unknown): RecordData[RecordType] | undefined {
  switch (type) {
    case "A":
    case "AAAA": {
      const bytes = typeof data === "string" ? parseIp(data) : undefined;
      if (!bytes) return undefined;
      return formatIp(bytes);
    }
    case "CNAME":
    case "NS":
    case "PTR":
      return typeof data === "string" ? normalizeName(data) : undefined;
    case "MX":
      return mxRecord(data);
    case "SRV":
      return srvRecord(data);
    case "TLSA":
      return tlsaRecord(data);
    case "TXT":
      return txtRecord(data);
  }
}

function mxRecord(data: unknown): MxRecord | undefined {
  const { preference = 0, exchange } = data as { preference?: number; exchange?: unknown };
  if (typeof exchange !== "string") return undefined;
  // RFC 7505 §3: "." as the exchange means that the domain accepts no mail.
  const host = exchange === "." || exchange === "" ? "" : normalizeName(exchange);
  return host === undefined ? undefined : { preference, exchange: host };
}

function srvRecord(data: unknown): SrvRecord | undefined {
  const { priority = 0, weight = 0, port, target } = data as Record<string, unknown>;
  if (
    typeof priority !== "number" || typeof weight !== "number" || typeof port !== "number" ||
    typeof target !== "string"
  ) return undefined;
  const host = target === "." || target === "" ? "" : normalizeName(target);
  return host === undefined ? undefined : { priority, weight, port, target: host };
}

function tlsaRecord(data: unknown): TlsaRecord | undefined {
  const { usage, selector, matchingType, certificate } = data as Record<string, unknown>;
  if (
    typeof usage !== "number" || typeof selector !== "number" ||
    typeof matchingType !== "number" || !(certificate instanceof Uint8Array)
  ) return undefined;
  return { usage, selector, matchingType, data: new Uint8Array(certificate) };
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function txtRecord(data: unknown): string | undefined {
  const parts = (Array.isArray(data) ? data : [data]) as unknown[];
  if (!parts.every((p): p is Uint8Array => p instanceof Uint8Array)) return undefined;
  const bytes = Buffer.concat(parts);
  try {
    return utf8.decode(bytes);
  } catch {
    return bytes.toString("latin1");
  }
}
