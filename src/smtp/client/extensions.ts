/** The capabilities that a server announces (EHLO, RFC 5321 §4.1.1.1). @module */

/** Capabilities of a server. */
export interface Extensions {
  /** The server understood EHLO. */
  extended: boolean;
  /** The name it gave itself. */
  name: string;
  starttls: boolean;
  pipelining: boolean;
  eightBitMime: boolean;
  smtpUtf8: boolean;
  chunking: boolean;
  binaryMime: boolean;
  dsn: boolean;
  requireTls: boolean;
  /** Least seconds that DELIVERBY accepts, 0 for any; undefined without the extension. */
  deliverBy: number | undefined;
  enhancedStatusCodes: boolean;
  /** SIZE; 0 if it names no limit, undefined without the extension. */
  size: number | undefined;
  /** Most seconds of FUTURERELEASE; undefined without the extension. */
  futureRelease: number | undefined;
  /** Names of SASL mechanisms, in capitals. */
  auth: string[];
  /** LIMITS (RFC 9422); Infinity where not limited. */
  limits: { rcptMax: number; mailMax: number; rcptDomainMax: number };
}

/** A server that only knows HELO. */
export function noExtensions(name: string): Extensions {
  return {
    extended: false,
    name,
    starttls: false,
    pipelining: false,
    eightBitMime: false,
    smtpUtf8: false,
    chunking: false,
    binaryMime: false,
    dsn: false,
    requireTls: false,
    deliverBy: undefined,
    enhancedStatusCodes: false,
    size: undefined,
    futureRelease: undefined,
    auth: [],
    limits: { rcptMax: Infinity, mailMax: Infinity, rcptDomainMax: Infinity },
  };
}

/** A non-negative number, or undefined. */
function count(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Parses the lines of an answer to EHLO. Unknown extensions are ignored. */
export function parseExtensions(lines: readonly string[]): Extensions {
  const e = noExtensions((lines[0] ?? "").split(" ")[0]);
  e.extended = true;
  const auth = new Set<string>();
  for (const line of lines.slice(1)) {
    const [keyword, ...params] = line.toUpperCase().split(" ").filter((w) => w !== "");
    switch (keyword) {
      case "STARTTLS":
        e.starttls = true;
        break;
      case "PIPELINING":
        e.pipelining = true;
        break;
      case "8BITMIME":
        e.eightBitMime = true;
        break;
      case "SMTPUTF8":
        e.smtpUtf8 = true;
        break;
      case "CHUNKING":
        e.chunking = true;
        break;
      case "BINARYMIME":
        e.binaryMime = true;
        break;
      case "DSN":
        e.dsn = true;
        break;
      case "DELIVERBY":
        e.deliverBy = count(params[0]) ?? 0;
        break;
      case "REQUIRETLS":
        e.requireTls = true;
        break;
      case "ENHANCEDSTATUSCODES":
        e.enhancedStatusCodes = true;
        break;
      case "SIZE":
        e.size = count(params[0]) ?? 0;
        break;
      case "FUTURERELEASE":
        e.futureRelease = count(params[0]) ?? 0;
        break;
      case "AUTH":
        for (const p of params) auth.add(p);
        break;
      case "LIMITS":
        readLimits(params, e.limits);
        break;
      default:
        // A form from before RFC 2554: "AUTH=LOGIN".
        if (keyword?.startsWith("AUTH=")) [keyword.slice(5), ...params].forEach((p) => auth.add(p));
    }
  }
  e.auth = [...auth];
  return e;
}

function readLimits(params: readonly string[], limits: Extensions["limits"]): void {
  for (const p of params) {
    const equals = p.indexOf("=");
    const n = count(p.slice(equals + 1));
    // RFC 9422 §4: a limit is at least 1.
    if (equals < 0 || n === undefined || n < 1) continue;
    const name = p.slice(0, equals);
    if (name === "RCPTMAX") limits.rcptMax = n;
    else if (name === "MAILMAX") limits.mailMax = n;
    else if (name === "RCPTDOMAINMAX") limits.rcptDomainMax = n;
  }
}
