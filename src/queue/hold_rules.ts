/** Rules by which new messages are held. @module */
import { normalizeName } from "../dns/mod.ts";
import type { Db } from "../store/database/database.ts";

/** A rule: undefined fields match any message. */
export interface HoldRule {
  id: number;
  account: string | undefined;
  senderDomain: string | undefined;
  recipientDomain: string | undefined;
}

export function holdRules(db: Db): HoldRule[] {
  return db.all("SELECT id, account, sender_domain, recipient_domain FROM hold_rules ORDER BY id")
    .map((row) => ({
      id: row[0],
      account: row[1] ?? undefined,
      senderDomain: row[2] ?? undefined,
      recipientDomain: row[3] ?? undefined,
    }));
}

/** Adds a rule; returns its id. Messages already queued are not touched. */
export function addHoldRule(db: Db, rule: Omit<HoldRule, "id">): number {
  return db.run(
    "INSERT INTO hold_rules (account, sender_domain, recipient_domain) VALUES (?, ?, ?)",
    rule.account ?? null,
    canonical(rule.senderDomain) ?? null,
    canonical(rule.recipientDomain) ?? null,
  ).lastInsertRowid;
}

/** A domain in a form for comparison, however it was written. */
function canonical(domain: string | undefined): string | undefined {
  return domain === undefined ? undefined : normalizeName(domain) ?? domain.toLowerCase();
}

export function removeHoldRule(db: Db, id: number): boolean {
  return db.run("DELETE FROM hold_rules WHERE id = ?", id).changes > 0;
}

/** Whether a rule holds a message of an account to a recipient. */
export function isHeld(
  rules: readonly HoldRule[],
  account: string,
  senderDomain: string,
  recipientDomain: string,
): boolean {
  const is = (wanted: string | undefined, domain: string) =>
    wanted === undefined || canonical(wanted) === canonical(domain);
  return rules.some((r) =>
    (r.account === undefined || r.account === account) && is(r.senderDomain, senderDomain) &&
    is(r.recipientDomain, recipientDomain)
  );
}
