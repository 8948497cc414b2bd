/** Rules by which new messages are held. @module */
import type { Db } from "../store/database.ts";

/** A rule: what is undefined fits any message. */
export interface HoldRule {
  id: number;
  account: string | undefined;
  senderDomain: string | undefined;
  recipientDomain: string | undefined;
}

export function holdRules(db: Db): HoldRule[] {
  return db.all("SELECT id, account, sender_domain, recipient_domain FROM hold_rules ORDER BY id")
    .map((r) => ({
      id: r[0],
      account: r[1] ?? undefined,
      senderDomain: r[2] ?? undefined,
      recipientDomain: r[3] ?? undefined,
    }));
}

/** Adds a rule; returns its id. What is queued already is not touched. */
export function addHoldRule(db: Db, rule: Omit<HoldRule, "id">): number {
  return db.run(
    "INSERT INTO hold_rules (account, sender_domain, recipient_domain) VALUES (?, ?, ?)",
    rule.account ?? null,
    rule.senderDomain?.toLowerCase() ?? null,
    rule.recipientDomain?.toLowerCase() ?? null,
  ).lastInsertRowid;
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
  return rules.some((r) =>
    (r.account === undefined || r.account === account) &&
    (r.senderDomain === undefined || r.senderDomain === senderDomain) &&
    (r.recipientDomain === undefined || r.recipientDomain === recipientDomain)
  );
}
