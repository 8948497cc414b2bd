/** Authentication-Results (RFC 8601) and Received-SPF (RFC 7208 §9.1) as text. @module */
import { Buffer } from "node:buffer";
import type { SenderAuth } from "./outcome.ts";

/** One method with its result, for Authentication-Results. */
export interface MethodResult {
  method: string;
  result: string;
  comment?: string;
  reason?: string;
  /** "ptype.property" and value, like ["header.d", "example.com"]. */
  properties: [name: string, value: string][];
}

/** Most characters of a value or comment that are kept. */
const MAX_VALUE = 500;

/** The methods of a message's results, in the order of the checks. */
export function methodResults(auth: SenderAuth, input: {
  remoteIp: string;
  ehlo: string;
  mailFrom: string;
}): MethodResult[] {
  const methods: MethodResult[] = [];
  const { iprev, spf, dkim, dmarc, arc } = auth;
  methods.push({
    method: "iprev",
    result: iprev.result,
    comment: iprev.name ?? iprev.error,
    properties: [["policy.iprev", input.remoteIp]],
  });
  methods.push({
    method: "spf",
    result: spf.result,
    reason: spf.error,
    comment: spf.authenticated ? "with dnssec" : undefined,
    properties: spf.identity === "helo"
      ? [["smtp.helo", input.ehlo]]
      : [["smtp.mailfrom", input.mailFrom]],
  });
  if (dkim.length === 0) methods.push({ method: "dkim", result: "none", properties: [] });
  for (const d of dkim) {
    const properties: [string, string][] = [];
    if (d.domain !== undefined) properties.push(["header.d", d.domain]);
    if (d.selector !== undefined) properties.push(["header.s", d.selector]);
    if (d.algorithm !== undefined) properties.push(["header.a", d.algorithm]);
    // RFC 6008: enough of the signature to identify it.
    if (d.signatureStart !== undefined) properties.push(["header.b", d.signatureStart]);
    const notes = [
      d.keyBits === undefined ? "" : `${d.keyBits}-bit key`,
      d.testing ? "testing" : "",
      d.recordAuthenticated ? "with dnssec" : "",
    ].filter((s) => s !== "");
    methods.push({
      method: "dkim",
      result: d.status,
      comment: notes.join(", ") || undefined,
      reason: d.error,
      properties,
    });
  }
  methods.push({
    method: "dmarc",
    result: dmarc.result,
    reason: dmarc.error,
    comment: dmarc.record
      ? `policy ${dmarc.policy}${dmarc.sampledOut ? ", sampled out" : ""}${
        dmarc.recordAuthenticated ? ", with dnssec" : ""
      }`
      : undefined,
    properties: dmarc.fromDomain === undefined ? [] : [["header.from", dmarc.fromDomain]],
  });
  methods.push({
    method: "arc",
    result: arc.result,
    reason: arc.error,
    // RFC 8617 §10.2 registers these.
    properties: arc.chain.length === 0 ? [] : [["smtp.remote-ip", input.remoteIp]],
  });
  return methods;
}

/** The text after the field's name: "authserv-id; method=result …", folded, without CRLF. */
export function formatResults(authservId: string, methods: readonly MethodResult[]): string {
  if (methods.length === 0) return `${value(authservId)}; none`;
  return [
    value(authservId),
    ...methods.map((result) => {
      const words = [`${result.method}=${result.result}`];
      if (result.comment) words.push(`(${comment(result.comment)})`);
      if (result.reason) words.push(`reason=${quoted(result.reason)}`);
      for (const [name, v] of result.properties) words.push(`${name}=${value(v)}`);
      return words.join(" ");
    }),
  ].join(";\r\n\t");
}

/** The whole Authentication-Results field with CRLF. */
export function authenticationResults(
  authservId: string,
  methods: readonly MethodResult[],
): string {
  return `Authentication-Results: ${formatResults(authservId, methods)}\r\n`;
}

/** The whole Received-SPF field with CRLF. */
export function receivedSpf(auth: SenderAuth, input: {
  remoteIp: string;
  ehlo: string;
  mailFrom: string;
  hostname: string;
}): string {
  const { spf } = auth;
  const pairs: [string, string | undefined][] = [
    ["client-ip", input.remoteIp],
    ["envelope-from", input.mailFrom],
    ["helo", input.ehlo],
    ["identity", spf.identity],
    ["mechanism", spf.mechanism],
    ["problem", spf.error],
    ["receiver", input.hostname],
  ];
  const text = pairs.filter((p): p is [string, string] => p[1] !== undefined)
    .map(([k, v]) => `${k}=${isDotAtom(v) ? v : quoted(v)}`);
  const note = spf.authenticated ? " (with dnssec)" : "";
  return `Received-SPF: ${spf.result}${note}\r\n\t${text.join(";\r\n\t")}\r\n`;
}

/** A value in a form allowed in the field: a token or an address unchanged, anything else quoted. */
function value(s: string): string {
  return s.length <= MAX_VALUE && isTokenOrAddress(s) ? s : quoted(s);
}

function isTokenOrAddress(s: string): boolean {
  if (s === "") return false;
  for (let i = 0; i < s.length; i++) {
    const c = s.charCodeAt(i);
    if (c <= 0x20 || c >= 0x7f) return false;
    // RFC 2045 §5.1 tspecials, except the "@" of an address (RFC 8601 §2.2 pvalue).
    if ('()<>,;:\\"/[]?='.includes(s[i])) return false;
  }
  return s.indexOf("@") === s.lastIndexOf("@");
}

function isDotAtom(s: string): boolean {
  return /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/.test(
    s.slice(0, MAX_VALUE + 1),
  ) && s.length <= MAX_VALUE;
}

function quoted(s: string): string {
  return `"${visible(s).replace(/["\\]/g, "\\$&")}"`;
}

function comment(s: string): string {
  return visible(s).replace(/[()\\]/g, "");
}

/** Removes characters that could end the line or the field. */
function visible(s: string): string {
  // deno-lint-ignore no-control-regex
  const text = s.slice(0, MAX_VALUE).replace(/[\u0000-\u001f\u007f]/g, " ");
  // A cut surrogate pair would be invalid UTF-8.
  return Buffer.from(text, "utf8").toString("utf8");
}
