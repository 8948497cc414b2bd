/** A resolver that answers from a map: for tests, and for servers without DNS. @module */
import { abortable, MAX_CNAMES } from "./client.ts";
import { formatIp, parseIp } from "./ip.ts";
import { normalizeName } from "./names.ts";
import {
  type DnsAnswer,
  DnsError,
  type DnsErrorKind,
  type LookupOptions,
  type MxRecord,
  type RecordData,
  type RecordType,
  type Resolver,
  type SrvRecord,
  type TlsaRecord,
} from "./types.ts";

/** The records of one name, and simulated faults of its lookups. */
export interface ScriptedName {
  A?: string[];
  AAAA?: string[];
  CNAME?: string;
  /** As "10 mx.example.com"; "0 ." for the null MX. */
  MX?: string[];
  NS?: string[];
  PTR?: string[];
  SRV?: SrvRecord[];
  TLSA?: TlsaRecord[];
  TXT?: string[];
  /** Failure of each lookup of this name, or only of the given types. */
  fail?: DnsErrorKind | Partial<Record<RecordType, DnsErrorKind>>;
  /** Milliseconds until the answer. */
  delayMs?: number;
  /** Whether answers and denials about this name are authenticated; else as the resolver's option. */
  authenticated?: boolean;
  ttl?: number;
}

/** Names without trailing dot. A name that is not included does not exist, unless there is one below it. */
export type Zone = Record<string, ScriptedName>;

export interface ScriptedResolver extends Resolver {
  /** Each lookup in order, as "TXT example.com"; CNAME steps are not lookups of their own. */
  readonly queries: string[];
  /** Adds or replaces names. */
  add(zone: Zone): void;
}

/** Creates a resolver from a zone map. */
export function scriptedResolver(
  zone: Zone = {},
  options: { authenticated?: boolean } = {},
): ScriptedResolver {
  const names = new Map<string, ScriptedName>();
  // Names that exist because there are names below them (RFC 8020).
  const parents = new Set<string>();
  const queries: string[] = [];

  function add(more: Zone): void {
    for (const [name, entry] of Object.entries(more)) {
      const normal = normalizeName(name);
      if (normal === undefined) throw new TypeError(`not a domain name: ${name}`);
      names.set(normal, entry);
      for (let dot = normal.indexOf("."); dot >= 0; dot = normal.indexOf(".", dot + 1)) {
        parents.add(normal.slice(dot + 1));
      }
    }
  }
  add(zone);

  async function resolve<K extends RecordType>(name: string, type: K): Promise<DnsAnswer<K>> {
    const cnames: string[] = [];
    let authenticated = true;
    let current = name;
    for (;;) {
      const entry = names.get(current);
      authenticated &&= entry?.authenticated ?? options.authenticated ?? false;
      if (entry?.delayMs) {
        await new Promise((resolve) => setTimeout(resolve, entry.delayMs));
      }
      const kind = typeof entry?.fail === "string" ? entry.fail : entry?.fail?.[type];
      if (kind) throw new DnsError(kind, name, type, { authenticated });
      const records = entry ? scriptedRecords(entry, type) : [];
      if (records.length > 0) {
        return { name, type, records, authenticated, ttl: entry?.ttl ?? 300, cnames };
      }
      if (type !== "CNAME" && entry?.CNAME !== undefined) {
        const next = normalizeName(entry.CNAME);
        if (next === undefined || cnames.push(next) > MAX_CNAMES) {
          throw new DnsError("malformed", name, type, { detail: "CNAME loop or chain too long" });
        }
        current = next;
        continue;
      }
      const exists = entry !== undefined || parents.has(current);
      throw new DnsError(exists ? "nodata" : "nxdomain", name, type, { authenticated, ttl: 300 });
    }
  }

  return {
    queries,
    add,
    async lookup<K extends RecordType>(name: string, type: K, lookupOptions: LookupOptions = {}) {
      const normal = normalizeName(name);
      if (normal === undefined) throw new DnsError("badname", name.slice(0, 300), type);
      queries.push(`${type} ${normal}`);
      return await abortable(resolve(normal, type), normal, type, lookupOptions.signal);
    },
  };
}

function scriptedRecords<K extends RecordType>(entry: ScriptedName, type: K): RecordData[K][];
function scriptedRecords(entry: ScriptedName, type: RecordType): RecordData[RecordType][] {
  const host = (name: string) => name === "." || name === "" ? "" : normalizeName(name) ?? name;
  switch (type) {
    case "A":
    case "AAAA":
      return (entry[type] ?? []).map((a) => {
        const bytes = parseIp(a);
        return bytes ? formatIp(bytes) : a;
      });
    case "CNAME":
      return entry.CNAME === undefined ? [] : [host(entry.CNAME)];
    case "MX":
      return (entry.MX ?? []).map((mx): MxRecord => {
        const [preference, exchange = ""] = mx.split(" ");
        return { preference: Number(preference), exchange: host(exchange) };
      });
    case "NS":
    case "PTR":
      return (entry[type] ?? []).map(host);
    case "SRV":
      return entry.SRV ?? [];
    case "TLSA":
      return entry.TLSA ?? [];
    case "TXT":
      return entry.TXT ?? [];
  }
}
