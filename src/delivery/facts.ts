/**
 * The facts about an incoming message's sender, from its envelope, its From address and the results of sender
 * authentication: they are stored with it, and reputation is based on them.
 *
 * @module
 */
import { normalizeName } from "../dns/mod.ts";
import { networksOf } from "../net/mod.ts";
import type { SenderAuth } from "../senderauth/mod.ts";
import { type EmailDescription, organizationalDomain } from "../store/messages/describe.ts";
import type { DeliveryFacts } from "../store/types.ts";

/** The relevant parts of the SMTP session and envelope. */
export interface Envelope {
  remoteIp: string;
  /** Argument of EHLO or HELO. */
  ehlo: string;
  /** Undefined for the null reverse path. */
  mailFrom: { localpart: string; domain: string } | undefined;
  rcptTo: { localpart: string; domain: string };
  /** Version of TLS; "" without. */
  tlsVersion: string;
  requireTls: boolean;
}

/** How the From domain was verified. */
export type FromValidation = "dmarc" | "strict" | "relaxed" | "none";

/**
 * Whether the From domain really sent the message: by the domain's DMARC policy, or without one by a passing
 * DKIM or SPF domain that is the same (strict) or of the same organisation.
 */
export function fromValidation(auth: SenderAuth): FromValidation {
  const { dmarc, dkim, spf } = auth;
  const from = dmarc.fromDomain;
  if (from === undefined) return "none";
  if (dmarc.record) return dmarc.result === "pass" ? "dmarc" : "none";
  const passed = dkim.filter((d) => d.status === "pass").map((d) => d.domain);
  if (spf.result === "pass") passed.push(spf.domain);
  const domains = passed.map((d) => d === undefined ? undefined : normalizeName(d));
  if (domains.includes(from)) return "strict";
  const organization = organizationalDomain(from);
  return domains.some((d) => d !== undefined && organizationalDomain(d) === organization)
    ? "relaxed"
    : "none";
}

/** Domains with valid signatures, each once. */
export function passedDkimDomains(auth: SenderAuth): string[] {
  const domains = new Set<string>();
  for (const d of auth.dkim) if (d.status === "pass" && d.domain) domains.add(d.domain);
  return [...domains];
}

/** The facts of a message for a recipient; without results of authentication nothing is verified. */
export function deliveryFacts(
  envelope: Envelope,
  description: EmailDescription,
  auth: SenderAuth | undefined,
): DeliveryFacts {
  const from = description.summary.from[0]?.address ?? "";
  const at = from.lastIndexOf("@");
  const fromDomain = at < 0 ? "" : from.slice(at + 1);
  const spf = auth?.spf;
  const spfOf = (identity: "mailfrom" | "helo") => spf?.identity === identity ? spf.result : "none";
  const msgFromValidation = auth ? fromValidation(auth) : "none";
  return {
    remoteIp: envelope.remoteIp,
    networks: networksOf(envelope.remoteIp),
    ehloDomain: envelope.ehlo,
    mailFromLocalpart: envelope.mailFrom?.localpart ?? "",
    mailFromDomain: envelope.mailFrom?.domain ?? "",
    rcptToLocalpart: envelope.rcptTo.localpart,
    rcptToDomain: envelope.rcptTo.domain,
    msgFromLocalpart: at < 0 ? from : from.slice(0, at),
    msgFromDomain: fromDomain,
    msgFromOrgDomain: fromDomain === "" ? "" : organizationalDomain(fromDomain),
    ehloValidated: spfOf("helo") === "pass",
    mailFromValidated: spfOf("mailfrom") === "pass",
    msgFromValidated: msgFromValidation !== "none",
    ehloValidation: spfOf("helo"),
    mailFromValidation: spfOf("mailfrom"),
    msgFromValidation,
    dkimDomains: auth ? passedDkimDomains(auth) : [],
    isForward: false,
    isMailingList: false,
    receivedTlsVersion: envelope.tlsVersion,
    receivedRequireTls: envelope.requireTls,
  };
}
