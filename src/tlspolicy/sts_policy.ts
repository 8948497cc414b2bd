/**
 * The texts of MTA-STS: the DNS record and the policy (RFC 8461 §3).
 *
 * @module
 */

/** A policy or record that breaks the rules. */
export class StsError extends Error {
  override name = "StsError";
}

/** A policy (§3.2). */
export interface StsPolicy {
  mode: "none" | "testing" | "enforce";
  /** Patterns, in lower case. */
  mx: string[];
  /** Seconds. */
  maxAge: number;
  /** The original lines, for reports. */
  lines: string[];
}

/** Most bytes of a policy (§3.3 suggests 64 KB). */
export const maxPolicyBytes = 64 * 1024;
/** Maximum lifetime of a policy in seconds (§3.2). */
const longestAge = 31_557_600;
/** Most patterns of MX hosts in a policy. */
const maxMx = 1000;

/**
 * The id in a domain's TXT records (§3.1); undefined if none of them is for MTA-STS.
 * @throws StsError if there are several, or if it is invalid
 */
export function recordId(records: readonly string[]): string | undefined {
  const own = records.filter((r) => /^v=STSv1\s*(?:;|$)/.test(r));
  if (own.length === 0) return undefined;
  if (own.length > 1) throw new StsError("there are several records");
  const ids = own[0].split(";").slice(1).map((f) => f.trim()).filter((f) => f.startsWith("id="));
  const id = ids[0]?.slice(3) ?? "";
  if (ids.length !== 1 || !/^[A-Za-z0-9]{1,32}$/.test(id)) {
    throw new StsError("the record has no valid id");
  }
  return id;
}

/** Reads a policy. @throws StsError */
export function parsePolicy(text: string): StsPolicy {
  const lines = text.split(/\r?\n/).map((l) => l.trimEnd()).filter((l) => l !== "");
  const fields = new Map<string, string>();
  const mx: string[] = [];
  for (const [i, line] of lines.entries()) {
    const colon = line.indexOf(":");
    if (colon < 1) throw new StsError(`line ${i + 1} is no field`);
    const name = line.slice(0, colon).trim();
    const value = line.slice(colon + 1).trim();
    if (name === "mx") {
      if (mx.length >= maxMx) throw new StsError(`it has more than ${maxMx} hosts`);
      if (!/^(?:\*\.)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$/.test(value)) {
        throw new StsError(`line ${i + 1}: ${JSON.stringify(value)} is no host`);
      }
      mx.push(value.toLowerCase());
    } else if (!fields.has(name)) {
      // §3.2: of duplicate fields the first counts.
      fields.set(name, value);
    }
  }
  if (lines.length === 0) throw new StsError("it is empty");
  // §3.2: in any order.
  if (fields.get("version") !== "STSv1") throw new StsError("it has no version: STSv1");
  const mode = fields.get("mode");
  if (mode !== "none" && mode !== "testing" && mode !== "enforce") {
    throw new StsError("it has no valid mode");
  }
  const age = fields.get("max_age") ?? "";
  if (!/^\d{1,10}$/.test(age)) throw new StsError("it has no valid max_age");
  if (mode !== "none" && mx.length === 0) throw new StsError("it names no host");
  return { mode, mx, maxAge: Math.min(Number(age), longestAge), lines };
}

/** True if a pattern matches a host; "*." matches one label (§4.1). */
export function matchesPattern(pattern: string, host: string): boolean {
  if (!pattern.startsWith("*.")) return pattern === host;
  const dot = host.indexOf(".");
  return dot > 0 && host.slice(dot + 1) === pattern.slice(2);
}
