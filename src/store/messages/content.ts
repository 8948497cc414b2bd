/** The data stored for emails besides their bytes: summary, listed fields and structure, as text. */
import type { Db } from "../database/database.ts";
import type { EmailId } from "../ids.ts";

/** The stored data of an email; each is parsed by its own function (summary.ts, mail/structure). */
export interface EmailContent {
  summary: string;
  /** Null if not stored. */
  listed: string | null;
  structure: string;
}

/** Undefined for an email that is gone. */
export function emailContent(db: Pick<Db, "get">, emailId: EmailId): EmailContent | undefined {
  const r = db.get("SELECT summary, listed, structure FROM emails WHERE id = ?", emailId);
  return r && { summary: r[0], listed: r[1], structure: r[2] };
}

/** The structure of an email (mail/structure's packed form); undefined if it is gone. */
export function emailStructure(db: Pick<Db, "get">, emailId: EmailId): string | undefined {
  return db.get("SELECT structure FROM emails WHERE id = ?", emailId)?.[0];
}

/** Summaries of emails by id, for those that exist. */
export function emailSummaries(
  db: Pick<Db, "all">,
  emailIds: readonly number[],
): [EmailId, string][] {
  return db.all(
    "SELECT e.id, e.summary FROM json_each(?) j CROSS JOIN emails e ON e.id = j.value",
    JSON.stringify(emailIds),
  ) as [EmailId, string][];
}
