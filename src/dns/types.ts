/** Answers and failures of resolvers. @module */

/** Record types used by the mail server. */
export type RecordType = "A" | "AAAA" | "CNAME" | "MX" | "NS" | "PTR" | "SRV" | "TLSA" | "TXT";

export interface MxRecord {
  preference: number;
  /** Host name in lower case without the trailing dot; "" for the null MX of RFC 7505. */
  exchange: string;
}

/** RFC 2782. */
export interface SrvRecord {
  priority: number;
  weight: number;
  port: number;
  /** Host name in lower case without the trailing dot; "" if there is no such service. */
  target: string;
}

/** RFC 6698 §2.1. */
export interface TlsaRecord {
  usage: number;
  selector: number;
  matchingType: number;
  data: Uint8Array;
}

/**
 * The form of each record type. Addresses are canonical text, names are in lower case without the
 * trailing dot, and a TXT record is the concatenation of its strings: as UTF-8 where it is that,
 * else one character per byte, so that non-ASCII bytes can be seen as such.
 */
export interface RecordData {
  A: string;
  AAAA: string;
  CNAME: string;
  MX: MxRecord;
  NS: string;
  PTR: string;
  SRV: SrvRecord;
  TLSA: TlsaRecord;
  TXT: string;
}

/** At least one record: none is a {@link DnsError} `nodata` or `nxdomain`. */
export interface DnsAnswer<K extends RecordType = RecordType> {
  /** The requested name, in lower case and ASCII, without the trailing dot. */
  name: string;
  type: K;
  records: RecordData[K][];
  /** True if a trusted validating resolver has authenticated the whole answer, including CNAMEs. */
  authenticated: boolean;
  /** Seconds that the answer may be cached. */
  ttl: number;
  /** The names that CNAME records led to, in order; the last one holds the records. */
  cnames: string[];
}

/**
 * Why there is no answer.
 *
 * - `nxdomain`: the name does not exist; `nodata`: it has no record of the type.
 * - `servfail`: the resolver failed or refused; `bogus`: it says that DNSSEC validation failed.
 * - `timeout`: no resolver answered in time; `noserver`: none is known.
 * - `truncated`: the answer did not fit and TCP gave none; `malformed`: it was no valid answer,
 *   or its CNAMEs loop.
 * - `badname`: the name can't be asked for.
 * - `limit`: the asker's own limit of lookups was reached.
 */
export type DnsErrorKind =
  | "nxdomain"
  | "nodata"
  | "servfail"
  | "bogus"
  | "timeout"
  | "noserver"
  | "truncated"
  | "malformed"
  | "badname"
  | "limit";

const permanentKinds: readonly DnsErrorKind[] = ["nxdomain", "nodata", "badname", "limit"];

/** A lookup that gave no records. */
export class DnsError extends Error {
  readonly kind: DnsErrorKind;
  readonly lookupName: string;
  readonly lookupType: RecordType;
  /** True if a trusted validating resolver has authenticated the denial (for `nxdomain` and `nodata`). */
  readonly authenticated: boolean;
  /** Seconds that the failure may be cached; 0 if it may not. */
  readonly ttl: number;

  constructor(
    kind: DnsErrorKind,
    lookupName: string,
    lookupType: RecordType,
    options: ErrorOptions & { detail?: string; authenticated?: boolean; ttl?: number } = {},
  ) {
    super(
      `dns lookup of ${lookupName} ${lookupType}: ${options.detail ?? kind}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = "DnsError";
    this.kind = kind;
    this.lookupName = lookupName;
    this.lookupType = lookupType;
    this.authenticated = options.authenticated ?? false;
    this.ttl = options.ttl ?? 0;
  }

  /** True if a later lookup may have another outcome. */
  get temporary(): boolean {
    return !permanentKinds.includes(this.kind);
  }

  /** True if the DNS answered that there is no such record. */
  get notFound(): boolean {
    return this.kind === "nxdomain" || this.kind === "nodata";
  }
}

export interface LookupOptions {
  /** Ends this caller's wait with a DnsError `timeout`; the lookup itself may continue for others. */
  signal?: AbortSignal;
}

/** Queries the DNS. Names are absolute: no search list is applied. Throws {@link DnsError} only. */
export interface Resolver {
  lookup<K extends RecordType>(
    name: string,
    type: K,
    options?: LookupOptions,
  ): Promise<DnsAnswer<K>>;
}
