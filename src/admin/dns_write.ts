/** Writing a domain's records into its zone, and waiting until they are visible. @module */
import type { Config } from "../config/mod.ts";
import type { Resolver } from "../dns/mod.ts";
import type { ZoneChange } from "../dnsupdate/message.ts";
import {
  DnsWriteError,
  normalData,
  providerFor,
  recordsThere,
  waitSeen,
  type WriteServices,
  writeZone,
} from "../dnsupdate/provider.ts";
import type { ZoneRecord } from "../dnsupdate/records.ts";
import { AdminError } from "./errors.ts";
import { type DnsRecord, domainRecords, type RecordOptions } from "./records.ts";

/** The changes to write for a domain. */
export interface DnsPlan extends ZoneChange {
  /** Records that aren't written: no provider has their zone, or existing ones can't be compared (CAA). */
  elsewhere: DnsRecord[];
}

/** A name has at most one TXT record with this prefix; others are unrelated. */
const kinds = ["v=spf1", "v=dkim1", "v=dmarc1", "v=stsv1", "v=tlsrptv1"];

function kindOf(text: string): string | undefined {
  const lower = text.trim().toLowerCase();
  return kinds.find((k) => lower.startsWith(k));
}

/** Whether an existing record must be replaced by a wanted one. */
function isReplaced(there: ZoneRecord, wanted: ZoneRecord): boolean {
  switch (wanted.type) {
    case "TXT": {
      const kind = kindOf(wanted.data);
      // A DKIM record may omit its version.
      return kind !== undefined &&
        (kindOf(there.data) === kind || kind === "v=dkim1" && kindOf(there.data) === undefined);
    }
    // The host may have more addresses than are known here.
    case "A":
    case "AAAA":
      return false;
    default:
      return true;
  }
}

/**
 * What differs between a domain's zone and the records that it should have.
 * @throws AdminError; DnsError if the DNS doesn't answer
 */
export async function planDnsWrite(
  config: Config,
  domain: string,
  resolver: Resolver,
  options: RecordOptions = {},
): Promise<DnsPlan> {
  const remove: ZoneRecord[] = [];
  const add: ZoneRecord[] = [];
  const elsewhere: DnsRecord[] = [];
  const groups = new Map<string, DnsRecord[]>();
  for (const r of await domainRecords(config, domain, options)) {
    // Existing CAA records can't be looked up here, so they are not compared.
    if (r.type === "CAA" || providerFor(config, r.name) === undefined) elsewhere.push(r);
    else {
      const key = `${r.name} ${r.type}`;
      groups.set(key, [...groups.get(key) ?? [], r]);
    }
  }
  for (const wanted of groups.values()) {
    const [{ name, type }] = wanted;
    const there = (await recordsThere(resolver, name, type)).map((data) => ({ name, type, data }));
    const same = (a: ZoneRecord, b: ZoneRecord) => normalData(a) === normalData(b);
    for (const w of wanted) {
      if (!there.some((t) => same(t, w))) add.push({ name, type, data: w.data });
    }
    for (const t of there) {
      if (!wanted.some((w) => same(t, w)) && wanted.some((w) => isReplaced(t, w))) remove.push(t);
    }
  }
  return { remove, add, elsewhere };
}

/** The records of a change, by zone. */
function byZone(
  config: Config,
  change: ZoneChange,
): Map<string, { remove: ZoneRecord[]; add: ZoneRecord[] }> {
  const zones = new Map<string, { remove: ZoneRecord[]; add: ZoneRecord[] }>();
  for (const kind of ["remove", "add"] as const) {
    for (const r of change[kind]) {
      const zone = providerFor(config, r.name)?.zone ?? "";
      let of = zones.get(zone);
      if (of === undefined) zones.set(zone, of = { remove: [], add: [] });
      of[kind].push(r);
    }
  }
  return zones;
}

/**
 * Writes changes zone by zone, and waits until they are visible.
 * @param fresh creates a resolver without a cache
 * @returns records that are written but not visible yet
 * @throws AdminError if a zone can't be written; earlier zones are written
 */
export async function writeDns(
  services: WriteServices,
  change: ZoneChange,
  fresh: () => Resolver,
  signal?: AbortSignal,
): Promise<ZoneRecord[]> {
  const late: ZoneRecord[] = [];
  for (const of of byZone(services.config, change).values()) {
    const { name } = [...of.add, ...of.remove][0];
    try {
      await writeZone(services, name, of);
    } catch (err) {
      if (err instanceof DnsWriteError) throw new AdminError(err.message, { cause: err });
      throw err;
    }
    const { Timeout } = providerFor(services.config, name)!.provider;
    late.push(...await waitSeen(fresh, of, Timeout, signal));
  }
  return late;
}

/** A record in zone file format. */
export function recordText(record: ZoneRecord): string {
  return `${record.name}. ${record.type} ${
    record.type === "TXT" ? JSON.stringify(record.data) : record.data
  }`;
}
