/**
 * What to search for: one tree for IMAP SEARCH, webmail and JMAP.
 *
 * @module
 */

/** A header whose decoded text is stored in the database, so that no file is opened for it. */
export type SummaryField = "from" | "to" | "cc" | "bcc" | "subject";

/** A condition on a message. Texts are Unicode and match in any case of letters. */
export type SearchNode =
  | { op: "all" }
  | { op: "and" | "or"; nodes: SearchNode[] }
  | { op: "not"; node: SearchNode }
  /** Bit of Flag; true if set. */
  | { op: "flag"; bit: number }
  /** Lower case. */
  | { op: "keyword"; keyword: string }
  /** Ranges of uids, both ends included, ascending and without overlap. */
  | { op: "uid"; ranges: readonly (readonly [number, number])[] }
  | { op: "modseq"; min: number }
  /** Size in bytes. */
  | { op: "larger" | "smaller"; size: number }
  /** Internal or saved date in milliseconds: from ≤ date < before. */
  | { op: "received" | "saved"; from?: number; before?: number }
  /** Day of the Date header, in the zone it has (RFC 9051 §6.4.4), as ms of that day at 0:00 UTC. */
  | { op: "sent"; from?: number; before?: number }
  | {
    op: "summary";
    field: SummaryField;
    text: string;
    /** Marks on letters don't matter, as people expect: "nunez" finds "Núñez". */
    loose?: boolean;
  }
  /** Header by lower-case name; "" matches if it exists. */
  | { op: "header"; name: string; text: string }
  /** Decoded text of the body. */
  | { op: "body"; text: string }
  /** Headers or decoded text. */
  | { op: "text"; text: string }
  /**
   * The visible parts of a message: subject, names, addresses, texts, file names; marks on letters don't
   * matter.
   */
  | { op: "shown"; text: string }
  /** Has a part that is an attachment. */
  | { op: "attachment" }
  | { op: "emailId"; id: number }
  | { op: "threadId"; id: number }
  | { op: "none" };

/** All conditions of a tree from left to right, combining ones before their operands. Works at any depth. */
export function* nodesOf(tree: SearchNode): Generator<SearchNode> {
  const open = [tree];
  for (let n = open.pop(); n !== undefined; n = open.pop()) {
    yield n;
    if (n.op === "not") open.push(n.node);
    else if (n.op === "and" || n.op === "or") {
      for (let i = n.nodes.length - 1; i >= 0; i--) open.push(n.nodes[i]);
    }
  }
}

/** True if a tree needs more than the columns of the messages table. */
export function needs(tree: SearchNode): { summary: boolean; file: boolean; thread: boolean } {
  const r = { summary: false, file: false, thread: false };
  for (const n of nodesOf(tree)) {
    switch (n.op) {
      case "summary":
      case "sent":
      case "attachment":
        r.summary = true;
        break;
      case "header":
      case "body":
      case "text":
        r.file = true;
        break;
      case "shown":
        r.summary = true;
        r.file = true;
        break;
      case "threadId":
        r.thread = true;
    }
  }
  return r;
}
