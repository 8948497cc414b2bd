/** A query of the webmail as mailboxes and a search tree of the store. @module */
import type { Filter, Query } from "../../../../webmail/api/mod.ts";
import type { Account } from "../../../store/account/account.ts";
import type { MailboxId } from "../../../store/ids.ts";
import type { SearchNode, SummaryField } from "../../../store/search/types.ts";
import { type Mailbox, SpecialUse } from "../../../store/types.ts";
import { bitsFromFlags } from "./flags.ts";

/** The conditions as one tree; undefined if all messages meet them. */
export function filterTree(filter: Filter): SearchNode | undefined {
  const nodes: SearchNode[] = [];
  const texts = (
    yes: readonly string[] | undefined,
    no: readonly string[] | undefined,
    node: (text: string) => SearchNode,
  ) => {
    for (const t of yes ?? []) nodes.push(node(t));
    for (const t of no ?? []) nodes.push({ op: "not", node: node(t) });
  };
  const summary = (...fields: SummaryField[]) => (text: string): SearchNode =>
    fields.length === 1 ? { op: "summary", field: fields[0], text, loose: true } : {
      op: "or",
      nodes: fields.map((field) => ({ op: "summary", field, text, loose: true })),
    };
  const bits = (names: Filter["flags"]): SearchNode[] => {
    const all = bitsFromFlags(names ?? []);
    const list: SearchNode[] = [];
    for (let bit = 1; bit <= all; bit <<= 1) if (all & bit) list.push({ op: "flag", bit });
    return list;
  };
  // Conditions on columns come first: often the rest is then not evaluated.
  nodes.push(...bits(filter.flags));
  for (const node of bits(filter.notFlags)) nodes.push({ op: "not", node });
  texts(filter.keywords, filter.notKeywords, (keyword) => ({ op: "keyword", keyword }));
  if (filter.oldest !== undefined || filter.newest !== undefined) {
    nodes.push({ op: "received", from: filter.oldest, before: filter.newest });
  }
  if (filter.largerThan !== undefined) nodes.push({ op: "larger", size: filter.largerThan });
  if (filter.smallerThan !== undefined) nodes.push({ op: "smaller", size: filter.smallerThan });
  if (filter.attachments === "with") nodes.push({ op: "attachment" });
  if (filter.attachments === "without") nodes.push({ op: "not", node: { op: "attachment" } });
  texts(filter.from, filter.notFrom, summary("from"));
  texts(filter.to, filter.notTo, summary("to", "cc", "bcc"));
  texts(filter.subject, filter.notSubject, summary("subject"));
  for (const h of filter.headers ?? []) {
    nodes.push({ op: "header", name: h.name.toLowerCase(), text: h.text });
  }
  texts(filter.words, filter.notWords, (text) => ({ op: "shown", text }));
  if (nodes.length === 0) return undefined;
  return nodes.length === 1 ? nodes[0] : { op: "and", nodes };
}

/** Mailboxes that are left out of queries that don't name one. */
export function isHidden(mailbox: Mailbox, rejects: readonly string[]): boolean {
  return (mailbox.specialUse & (SpecialUse.Junk | SpecialUse.Trash)) !== 0 ||
    rejects.includes(mailbox.name);
}

/** Whether a user may read a mailbox: all of their own, some of those of others. */
export type MayRead = (id: MailboxId) => boolean;
export const allMayRead: MayRead = () => true;

/** The mailboxes that a query looks in; undefined if the one it names is gone. */
export function queryMailboxes(
  account: Account,
  query: Query,
  rejects: readonly string[],
  mayRead: MayRead = allMayRead,
): Mailbox[] | undefined {
  const all = account.mailboxes().filter((m) => mayRead(m.id));
  if (query.mailboxId === null) return all.filter((m) => !isHidden(m, rejects));
  const named = all.find((m) => m.id === query.mailboxId);
  if (named === undefined) return undefined;
  return query.withChildren
    ? [named, ...all.filter((m) => m.name.startsWith(`${named.name}/`))]
    : [named];
}
