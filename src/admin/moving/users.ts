/**
 * Lists of users of other servers: a Dovecot passwd-file (also `/etc/shadow`, and docker-mailserver's with
 * bars), CSV with a header line, or JSON.
 *
 * @module
 */
import * as v from "valibot";

/** A user who needs an account. */
export interface NewUser {
  /** Line of the list, or number of the item, from 1. */
  line: number;
  address: string;
  /** Name of the account; derived from the address if "". */
  account: string;
  /** Hash of the password in the other server's form; "" for none. */
  hash: string;
  /** The password itself; "" for none. */
  password: string;
  fullName: string;
  /** Bytes; 0 if not given. */
  quota: number;
  /** Further addresses. */
  aliases: string[];
  /** False if the user may not log in. */
  active: boolean;
}

/** A mistake in a line. */
export interface LineProblem {
  line: number;
  message: string;
}

export interface ReadUsers {
  users: NewUser[];
  problems: LineProblem[];
}

export type UserFormat = "passwd" | "csv" | "json";

/** The apparent format of a list. */
export function formatOf(text: string): UserFormat {
  const start = text.trimStart();
  if (start.startsWith("[") || start.startsWith("{")) return "json";
  const [head] = start.split(/\r?\n/, 1);
  return /^"?(?:address|email|username)"?[,;\t]/i.test(head) ||
      /[,;\t]"?(?:address|email)"?(?:[,;\t]|$)/i.test(head)
    ? "csv"
    : "passwd";
}

/**
 * Reads a list.
 * @param domain of users without one; "" if all must have one
 */
export function readUsers(text: string, format: UserFormat, domain: string): ReadUsers {
  text = text.replace(/^\ufeff/, "");
  const read = format === "json"
    ? readJson(text)
    : format === "csv"
    ? readCsv(text)
    : readPasswd(text);
  const seen = new Map<string, number>();
  const users: NewUser[] = [];
  for (const u of read.users) {
    u.address = withDomain(u.address, domain);
    u.aliases = u.aliases.map((a) => withDomain(a, domain));
    const before = seen.get(u.address.toLowerCase());
    if (!u.address.includes("@")) {
      read.problems.push({
        line: u.line,
        message: `${JSON.stringify(u.address)} has no domain: give one with -domain`,
      });
    } else if (before !== undefined) {
      read.problems.push({
        line: u.line,
        message: `${u.address} is there already, in line ${before}`,
      });
    } else {
      seen.set(u.address.toLowerCase(), u.line);
      users.push(u);
    }
  }
  return { users, problems: read.problems };
}

function withDomain(address: string, domain: string): string {
  return address.includes("@") || domain === "" || address === ""
    ? address
    : `${address}@${domain}`;
}

function newUser(line: number, more: Partial<NewUser>): NewUser {
  return {
    line,
    address: "",
    account: "",
    hash: "",
    password: "",
    fullName: "",
    quota: 0,
    aliases: [],
    active: true,
    ...more,
  };
}

/** Bytes of a size such as `512M` or `2G`; undefined if it isn't one. */
export function parseSize(text: string): number | undefined {
  const m = /^([0-9]{1,15})\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim());
  if (!m) return undefined;
  const power = " kmgt".indexOf(m[2].toLowerCase() || " ");
  const n = Number(m[1]) * 1024 ** power;
  return Number.isSafeInteger(n) ? n : undefined;
}

/** `user:password:uid:gid:name:home:shell:more`, with the further fields of Dovecot in `more`. */
function readPasswd(text: string): ReadUsers {
  const users: NewUser[] = [];
  const problems: LineProblem[] = [];
  text.split(/\r?\n/).forEach((line, i) => {
    if (/^\s*(?:#|$)/.test(line)) return;
    const separator = line.includes("|") && !line.includes(":") || /^[^:|]+\|/.test(line)
      ? "|"
      : ":";
    const fields = line.split(separator);
    const [user, password = "", , , name = "", , , ...more] = fields;
    if (user.trim() === "" || fields.length < 2) {
      problems.push({ line: i + 1, message: "no user and password, with a colon between" });
      return;
    }
    // The form in /etc/shadow for an account without password login.
    const locked = /^[!*]/.test(password);
    const extra = separator === ":" ? more.join(":") : fields.slice(2).join(" ");
    const quota = /quota_rule=\S*?storage=([0-9]+[kmgt]?)/i.exec(extra)?.[1];
    const plain = /^\{(?:PLAIN|CLEARTEXT)\}/i.exec(password);
    users.push(newUser(i + 1, {
      address: user.trim(),
      hash: plain || locked || password === "x" ? "" : password,
      password: plain ? password.slice(plain[0].length) : "",
      // In /etc/shadow this is a number of days.
      fullName: separator === ":" && !/^[0-9]*$/.test(name) ? name.split(",")[0].trim() : "",
      quota: quota === undefined ? 0 : parseSize(quota) ?? 0,
    }));
  });
  return { users, problems };
}

/** Fields of a CSV or JSON list by their names. */
const fieldNames: Record<string, keyof NewUser> = {
  address: "address",
  email: "address",
  username: "address",
  account: "account",
  hash: "hash",
  password_hash: "hash",
  password: "password",
  name: "fullName",
  fullname: "fullName",
  full_name: "fullName",
  quota: "quota",
  aliases: "aliases",
  active: "active",
};

/** Rows of a CSV text (RFC 4180), with commas, semicolons or tabs, and their line numbers. */
export function csvRows(text: string): { line: number; cells: string[] }[] {
  const rows: { line: number; cells: string[] }[] = [];
  const [head = ""] = text.split(/\r?\n/, 1);
  const separator = [",", ";", "\t"].find((c) => head.includes(c)) ?? ",";
  let line = 1, start = 1;
  let cells: string[] = [];
  let cell = "";
  let quoted = false;
  const endRow = () => {
    cells.push(cell);
    if (cells.some((c) => c.trim() !== "")) rows.push({ line: start, cells });
    cells = [];
    cell = "";
  };
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c === '"' && text[i + 1] === '"') cell += text[++i];
      else if (c === '"') quoted = false;
      else cell += c;
      if (c === "\n") line++;
    } else if (c === '"' && cell === "") {
      quoted = true;
    } else if (c === separator) {
      cells.push(cell);
      cell = "";
    } else if (c === "\n") {
      endRow();
      start = ++line;
    } else if (c !== "\r") {
      cell += c;
    }
  }
  endRow();
  return rows;
}

function readCsv(text: string): ReadUsers {
  const [head, ...rows] = csvRows(text);
  const problems: LineProblem[] = [];
  const names = (head?.cells ?? []).map((c) => c.trim().toLowerCase());
  names.forEach((name) => {
    if (!Object.hasOwn(fieldNames, name)) {
      problems.push({
        line: 1,
        message: `the column ${JSON.stringify(name)} is unknown: ${
          Object.keys(fieldNames).join(", ")
        }`,
      });
    }
  });
  const users = rows.map(({ line, cells }) => {
    const raw: Record<string, unknown> = {};
    names.forEach((name, i) => raw[name] = cells[i]?.trim() ?? "");
    return userOf(line, raw, problems);
  });
  return { users, problems };
}

const jsonSchema = v.array(v.record(v.string(), v.unknown()));

function readJson(text: string): ReadUsers {
  const problems: LineProblem[] = [];
  let list: Record<string, unknown>[];
  try {
    const json: unknown = JSON.parse(text);
    list = v.parse(jsonSchema, Array.isArray(json) ? json : [json]);
  } catch (err) {
    return {
      users: [],
      problems: [{ line: 0, message: `not a JSON list of users: ${(err as Error).message}` }],
    };
  }
  return { users: list.map((raw, i) => userOf(i + 1, raw, problems)), problems };
}

/** A user from a list with named fields. */
function userOf(line: number, raw: Record<string, unknown>, problems: LineProblem[]): NewUser {
  const user = newUser(line, {});
  for (const [name, value] of Object.entries(raw)) {
    const field = fieldNames[name.toLowerCase()];
    // JSON of other programs has more fields than are used.
    if (!field || value === null || value === undefined || value === "") continue;
    if (field === "quota") {
      const size = typeof value === "number" ? value : parseSize(String(value));
      if (size === undefined || size < 0) {
        problems.push({
          line,
          message: `quota: ${JSON.stringify(value)} is not a size such as 2G`,
        });
      } else user.quota = size;
    } else if (field === "aliases") {
      const list = Array.isArray(value) ? value.map(String) : String(value).split(/[\s,;]+/);
      user.aliases = list.filter((a) => a !== "");
    } else if (field === "active") {
      user.active = !/^(?:0|false|no|n)$/i.test(String(value));
    } else if (field !== "line") {
      user[field] = String(value);
    }
  }
  return user;
}
