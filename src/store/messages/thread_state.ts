/**
 * Muted and collapsed threads. Both states are stored with each email of the thread, so that an answer inherits
 * them from its parent.
 *
 * @module
 */
import type { EmailId } from "../ids.ts";
import type { AccountDb } from "../database/account_db.ts";
import type { Listener } from "../types.ts";

/** Most emails in one change. */
const maxEmails = 5000;

/** Sets one of the two states for the threads of these emails. */
export async function setThreadState(
  account: AccountDb,
  emailIds: readonly EmailId[],
  state: { muted?: boolean; collapsed?: boolean },
  origin?: Listener,
): Promise<void> {
  const { db } = account;
  await account.writer.write((ctx) => {
    const threads = new Set<number>();
    for (const id of emailIds) {
      const r = db.get("SELECT thread_id FROM threads WHERE email_id = ?", id);
      if (r) threads.add(r[0]);
    }
    // Emails that end up in the same state, in one change.
    const groups = new Map<string, { muted: boolean; collapsed: boolean; emailIds: EmailId[] }>();
    for (const thread of threads) {
      const rows = db.all(
        "UPDATE threads SET muted = coalesce(?1, muted), collapsed = coalesce(?2, collapsed) " +
          "WHERE thread_id = ?3 AND (muted != coalesce(?1, muted) OR collapsed != coalesce(?2, collapsed)) " +
          "RETURNING email_id, muted, collapsed",
        state.muted === undefined ? null : Number(state.muted),
        state.collapsed === undefined ? null : Number(state.collapsed),
        thread,
      );
      for (const [emailId, muted, collapsed] of rows as [EmailId, number, number][]) {
        const key = `${muted}${collapsed}`;
        let g = groups.get(key);
        if (g === undefined) {
          g = { muted: muted === 1, collapsed: collapsed === 1, emailIds: [] };
          groups.set(key, g);
        }
        g.emailIds.push(emailId);
      }
    }
    for (const g of groups.values()) {
      for (let i = 0; i < g.emailIds.length; i += maxEmails) {
        ctx.changes.push({
          kind: "changeThread",
          emailIds: g.emailIds.slice(i, i + maxEmails),
          muted: g.muted,
          collapsed: g.collapsed,
        });
      }
    }
  }, origin);
}
