/**
 * Finding emails by their texts, in all mailboxes; search.ts does so for the messages of one mailbox.
 *
 * @module
 */
import type { EmailId } from "../ids.ts";
import type { Account } from "./account.ts";
import { FetchRow } from "../messages/row.ts";
import { decide, folded, kept, openOrNothing } from "./search.ts";
import { MessageText, type TextNode } from "../search/text.ts";
import type { SearchNode } from "../search/types.ts";

/** Milliseconds of work between two turns of the event loop, and emails read in one go. */
const sliceTime = 10;
const slice = 200;
/** For up to this many emails the index is not queried. */
const smallSearch = 50;

/** An email as conditions on its texts see it; facts of messages are never asked for. */
function emailRow(emailId: EmailId, size: number, summaryText: string): FetchRow {
  return Object.assign(new FetchRow(), { emailId, size, summaryText });
}

/**
 * Which of the emails meet a condition on texts.
 * @param node "and", "or", "not", "summary", "header", "body", "text", "attachment"
 * @param stopped ends the search; the hits so far are returned
 */
export async function searchEmails(
  account: Account,
  emailIds: readonly EmailId[],
  node: SearchNode,
  stopped: () => boolean = () => false,
): Promise<Set<number>> {
  const tree = folded(node);
  const found = new Set<number>();
  const ids = narrowed(account, emailIds, tree);
  let turn = performance.now();
  for (let at = 0; at < ids.length && !stopped(); at += slice) {
    const rows = account.db.all(
      "SELECT e.id, e.size, e.summary FROM json_each(?) j CROSS JOIN emails e ON e.id = j.value",
      JSON.stringify(ids.slice(at, at + slice)),
    );
    for (const [id, size, summary] of rows) {
      const row = emailRow(id, size, summary);
      const quick = decide(tree, row, (n) => kept(account, n, id));
      if (quick ?? await matches(account, tree, row, stopped)) found.add(id);
      if (performance.now() - turn > sliceTime) {
        await new Promise<void>((resolve) => setTimeout(resolve, 0));
        if (stopped()) return found;
        turn = performance.now();
      }
    }
  }
  return found;
}

/** The emails that have to be checked, as far as the index can tell. */
function narrowed(account: Account, ids: readonly number[], tree: SearchNode): readonly number[] {
  if (ids.length < smallSearch || account.fulltext.behind > ids.length / 4) return ids;
  const emails = account.fulltext.narrow(tree);
  if (emails === undefined) return ids;
  const { below } = account.fulltext;
  return ids.filter((id) => id >= below || emails.has(id));
}

/** Reads the email, in steps. */
async function matches(
  account: Account,
  tree: SearchNode,
  row: FetchRow,
  stopped: () => boolean,
): Promise<boolean> {
  const content = account.db.get("SELECT prefix, structure FROM emails WHERE id = ?", row.emailId);
  if (!content) return false;
  const [prefix, structure] = content;
  const text = new MessageText(
    structure,
    () => openOrNothing(account, { emailId: row.emailId, prefix, size: row.size }),
  );
  try {
    const known = new Map<TextNode, boolean>();
    for (;;) {
      let asked: TextNode | undefined;
      const d = decide(tree, row, (node) => {
        const k = known.get(node) ?? kept(account, node, row.emailId);
        if (k === undefined) asked ??= node;
        return k;
      });
      if (d !== undefined || asked === undefined) return d === true;
      const steps = text.find(asked);
      let turn = performance.now();
      for (let s = steps.next();; s = steps.next()) {
        if (s.done) {
          known.set(asked, s.value);
          break;
        }
        if (performance.now() - turn < sliceTime) continue;
        await new Promise<void>((resolve) => setTimeout(resolve, 0));
        if (stopped()) return false;
        turn = performance.now();
      }
    }
  } finally {
    text.close();
  }
}
