/** How safely mail to a typed address travels. @module */
import type { DomainSecurity } from "../../../../webmail/api/mod.ts";
import { typedAddresses } from "./recipients.ts";
import type { WebmailServices } from "../services.ts";

/** Milliseconds that an answer is waited for, and that it is kept. */
const patience = 15_000;
const lifetime = 10 * 60_000;
/** Domains whose security is remembered. */
const maxKept = 1000;

type Found = Omit<DomainSecurity, "address">;
const unknown: Found = {
  startTls: "unknown",
  mtaSts: "unknown",
  dane: "unknown",
  dnssec: "unknown",
  requireTls: "unknown",
};

const kept = new WeakMap<WebmailServices, Map<string, { until: number; found: Promise<Found> }>>();

/** Asks once for a domain, also while the answer is on its way. */
export async function domainSecurity(
  services: WebmailServices,
  address: string,
): Promise<DomainSecurity> {
  const domain = typedAddresses(address)[0]?.domain.toLowerCase();
  if (domain === undefined || services.domainSecurity === undefined) return { address, ...unknown };
  let answers = kept.get(services);
  if (answers === undefined) kept.set(services, answers = new Map());
  let answer = answers.get(domain);
  if (answer === undefined || answer.until < Date.now()) {
    answer = {
      until: Date.now() + lifetime,
      found: services.domainSecurity(domain).catch(() => unknown),
    };
    answers.delete(domain);
    answers.set(domain, answer);
    if (answers.size > maxKept) answers.delete(answers.keys().next().value!);
  }
  const { promise: late, resolve } = Promise.withResolvers<Found>();
  const timer = setTimeout(() => resolve(unknown), patience);
  try {
    return { address, ...await Promise.race([answer.found, late]) };
  } finally {
    clearTimeout(timer);
  }
}
