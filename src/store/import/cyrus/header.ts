/**
 * A mailbox's `cyrus.header`: three lines common to all versions, then a list of values (Cyrus 3.4 and later)
 * or, before that, lines with the quota root, the names of keywords and the rights.
 *
 * @module
 */

export interface CyrusHeader {
  /** Cyrus's internal name of the mailbox, `user.ann.Sent`; undefined where the folder's path gives it. */
  name: string | undefined;
  /** The folder name since Cyrus 3.6; "" before. */
  id: string;
  /** Mail or Sieve scripts; other kinds are calendars and contacts. */
  kind: "mail" | "scripts" | "other";
  /** Names of keywords, by bit number. */
  keywords: string[];
}

/** Most values of a list. */
const maxValues = 10_000;

/** Reads a header; undefined for other files. */
export function parseCyrusHeader(text: string): CyrusHeader | undefined {
  const lines = text.split("\n");
  if (!/Cyrus mailbox header\r?$/.test(lines[0]) || lines.length < 4) return undefined;
  const rest = lines.slice(3).join("\n");
  if (!rest.startsWith("%(")) {
    const keywords = (lines[4] ?? "").split(" ").filter((k) => k !== "");
    return { name: undefined, id: "", kind: "mail", keywords };
  }
  const values = parseList(rest);
  if (values === undefined) return undefined;
  const found = new Map<string, Value>();
  for (let i = 0; i + 1 < values.length; i += 2) {
    const key = values[i];
    if (typeof key === "string") found.set(key, values[i + 1]);
  }
  const valueOf = (key: string) => {
    const value = found.get(key);
    return typeof value === "string" ? value : undefined;
  };
  const [type, keywords] = [valueOf("T") ?? "", found.get("U")];
  return {
    name: valueOf("N"),
    id: valueOf("I") ?? "",
    kind: type === "" || type === "e" ? "mail" : type === "f" ? "scripts" : "other",
    keywords: Array.isArray(keywords) ? keywords.map((k) => typeof k === "string" ? k : "") : [],
  };
}

/** Text, or a list of values; in a list of pairs, keys precede their values. */
type Value = string | Value[];

/** Reads one list with its nested lists; undefined for anything else. */
function parseList(text: string): Value[] | undefined {
  const open: Value[][] = [];
  let at = 0;
  for (let count = 0; count < maxValues && at < text.length; count++) {
    const c = text[at];
    if (c === " ") {
      at++;
    } else if (c === "(" || c === "%" && text[at + 1] === "(") {
      const list: Value[] = [];
      open.at(-1)?.push(list);
      open.push(list);
      at += c === "(" ? 1 : 2;
    } else if (c === ")") {
      const list = open.pop();
      if (list === undefined) return undefined;
      if (open.length === 0) return list;
      at++;
    } else if (c === '"') {
      let value = "";
      for (at++; at < text.length && text[at] !== '"'; at++) {
        if (text[at] === "\\") at++;
        value += text[at] ?? "";
      }
      at++;
      open.at(-1)?.push(value);
    } else {
      let end = at;
      while (end < text.length && !" ()".includes(text[end])) end++;
      open.at(-1)?.push(text.slice(at, end));
      at = end;
    }
  }
  return undefined;
}
