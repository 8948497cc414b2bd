/** The same messages and commands given to us and to Dovecot over IMAP. @module */
import { Client, login, message, password, startServer } from "../imap/server.ts";
import { startDovecot } from "../support/dovecot.ts";
import { generate, type Random, randomFrom } from "./generate.ts";

type Value = string | null | Value[];

/** An answer's list as values. */
export function parseValues(text: string, from: number): Value[] {
  const stack: Value[][] = [[]];
  for (let i = from; i < text.length;) {
    const c = text[i];
    const top = stack[stack.length - 1];
    if (c === "(") {
      const list: Value[] = [];
      top.push(list);
      stack.push(list);
      i++;
    } else if (c === ")") {
      stack.pop();
      i++;
      if (stack.length === 1) break;
    } else if (c === '"') {
      let s = "";
      for (i++; text[i] !== '"'; i++) s += text[i] === "\\" ? text[++i] : text[i];
      i++;
      top.push(s);
    } else if (c === "{") {
      const close = text.indexOf("}", i);
      const n = Number(text.slice(i + 1, close));
      top.push(text.slice(close + 3, close + 3 + n));
      i = close + 3 + n;
    } else if (c === " ") {
      i++;
    } else {
      let end = i;
      while (end < text.length && !' ()"{'.includes(text[end])) end++;
      const word = text.slice(i, end);
      top.push(word === "NIL" ? null : word);
      i = end;
    }
  }
  return stack[0];
}

/** The leaves of a BODYSTRUCTURE: type, encoding and size. */
export function leavesOf(v: Value): string[] {
  if (!Array.isArray(v)) return [];
  if (Array.isArray(v[0])) {
    return v.flatMap((x) => Array.isArray(x) && isBody(x) ? leavesOf(x) : []);
  }
  const [type, subtype, , , , encoding, size] = v.map((x) => String(x).toLowerCase());
  const own = `${type}/${subtype} ${encoding} ${size}`;
  return type === "message" && Array.isArray(v[8]) ? [own, ...leavesOf(v[8])] : [own];
}

const isBody = (v: Value[]) =>
  Array.isArray(v[0]) || (v.length >= 7 && typeof v[0] === "string" && typeof v[1] === "string");

/** Commands with what the grammar has and with what clients send. */
function command(r: Random): string {
  const pick = <T>(l: readonly T[]) => l[r(l.length)];
  const sp = () => pick([" ", " ", " ", " ", "  "]);
  const open = () => pick(["(", "(", "( "]);
  const close = () => pick([")", ")", " )"]);
  const set = () => pick(["1", "1:2", "1:*", "2,1", "*"]);
  const key = (): string =>
    pick([
      () => "ALL",
      () => "SEEN",
      () => `NOT${sp()}SEEN`,
      () => `OR${sp()}SEEN${sp()}${key()}`,
      () => `SUBJECT${sp()}${pick(["hello", '"hello world"', '""', "1:*", "h%"])}`,
      () => pick(["NEW", "OLD", "RECENT"]),
      () => `${open()}${key()}${sp()}${key()}${close()}`,
      () => `SINCE${sp()}1-Jan-2020`,
      () => `LARGER${sp()}10`,
      () => `HEADER${sp()}Subject${sp()}invoice`,
      () => `UID${sp()}${set()}`,
      () => set(),
      () => "NOSUCHKEY",
      () => "SUBJECT",
    ])();
  const end = () => pick(["", "", "", " "]);
  return pick([
    () => `NOOP${end()}`,
    () => `CHECK${end()}`,
    () =>
      `STATUS${sp()}INBOX${sp()}${open()}MESSAGES${sp()}${
        pick(["UNSEEN", "UIDNEXT", "BOGUS"])
      }${close()}`,
    () =>
      `FETCH${sp()}${set()}${sp()}${
        pick([
          "FLAGS",
          "(FLAGS UID)",
          `${open()}UID${close()}`,
          "BODY.PEEK[HEADER]",
          "BODY.PEEK[1.MIME]",
          "BODY.PEEK[]<0.10>",
          "BODY.PEEK[TEXT]<1.0>",
          "BOGUS",
          "()",
          "BODY.PEEK[BOGUS]",
          "FAST",
          "ENVELOPE",
        ])
      }${end()}`,
    () => `UID${sp()}FETCH${sp()}${set()}${sp()}FLAGS`,
    () => `SEARCH${sp()}${key()}${end()}`,
    () => `UID${sp()}SEARCH${sp()}${key()}`,
    () =>
      `SORT${sp()}${open()}${
        pick(["SUBJECT", "REVERSE DATE", "BOGUS"])
      }${close()}${sp()}UTF-8${sp()}${key()}`,
    () => `THREAD${sp()}${pick(["REFERENCES", "REFS", "BOGUS"])}${sp()}UTF-8${sp()}${key()}`,
    () =>
      `STORE${sp()}${set()}${sp()}${
        pick(["+FLAGS", "-FLAGS", "FLAGS", "+FLAGS.SILENT", "+BOGUS"])
      }${sp()}${pick(["(\\Seen)", "\\Seen", "( \\Seen )", "()", "(Key word)", "(\\Bogus)"])}`,
    () => `LIST${sp()}""${sp()}${pick(["*", '"*"', "%", "INBOX"])}`,
    () => `LSUB${sp()}""${sp()}"*"${end()}`,
    () => `ENABLE${sp()}CONDSTORE`,
    () => `ID${sp()}${pick(["NIL", '("name" "x")', '( "name" "x" )'])}`,
    () => `BOGUS${sp()}x`,
    () => `FETCH`,
    () => `COPY${sp()}${set()}${sp()}nosuchmailbox`,
    () => "NAMESPACE",
    () => `CREATE${sp()}`,
    () => `SELECT${sp()}INBOX${pick(["", " (CONDSTORE)", " ()"])}`,
  ])();
}

/** What came of it. */
export interface ImapComparison {
  messages: number;
  commands: number;
  /** Kinds that are known, with how often. */
  known: Map<string, number>;
  unknown: string[];
}

/** Commands that are answered otherwise, with who is right. */
export const commandKinds: readonly [RegExp, string][] = [
  [/^UID {2}/, "both: a blank too many behind UID is passed over here only"],
  [/\(\\Bogus\)/, "ours: RFC 9051 §2.3.2, an unknown system flag can't be set"],
  [/BODY\.PEEK\[1\.MIME\]/, "both: of a message without parts there is no 1.MIME there"],
];

export async function compareImap(
  messages: number,
  commands: number,
  seed: number,
): Promise<ImapComparison> {
  const r: ImapComparison = { messages, commands, known: new Map(), unknown: [] };
  const random = randomFrom(seed);
  const dovecot = await startDovecot();
  const ours = await startServer({ recent: true });
  const clients: Client[] = [];
  const note = (kind: string | undefined, text: string) => {
    if (kind) r.known.set(kind, (r.known.get(kind) ?? 0) + 1);
    else if (r.unknown.length < 40) r.unknown.push(text);
  };
  try {
    const a = await ours.client({ loggedIn: false });
    const b = await Client.connect(dovecot.port);
    clients.push(b);
    await b.line();
    await a.ok(`LOGIN ${login} "${password}"`);
    await b.ok(`LOGIN ${dovecot.user} ${dovecot.password}`);
    for (const c of [a, b]) {
      await c.append("INBOX", message("hello world"));
      await c.append("INBOX", message("invoice"));
      await c.ok("SELECT INBOX");
    }
    for (let i = 0; i < messages; i++) {
      const m = generate(random);
      const text = Array.from(m.bytes, (x) => String.fromCharCode(x)).join("");
      const shapes: string[][] = [];
      for (const c of [a, b]) {
        await c.append("INBOX", text);
        const answer = (await c.run("FETCH * BODYSTRUCTURE")).find((l) =>
          l.includes("BODYSTRUCTURE")
        )!;
        shapes.push(leavesOf(parseValues(answer, answer.indexOf("BODYSTRUCTURE") + 14)[0]));
      }
      if (JSON.stringify(shapes[0]) !== JSON.stringify(shapes[1])) {
        const kind = [
          "no semicolon",
          "misspelt encoding",
          "comment in encoding",
          "comment",
          "message within",
          "no closing boundary",
        ]
          .find((k) => m.odd.has(k));
        note(
          kind && `structure: ${kind}`,
          `${shapes.map((s) => s.join(", ")).join("\n  dovecot: ")}\n odd: ${[...m.odd]}\n${
            text.slice(0, 1500)
          }`,
        );
      }
    }
    for (let i = 0; i < commands; i++) {
      const cmd = command(random);
      const [x, y] = [await a.run(cmd), await b.run(cmd)];
      const [p, q] = [x.at(-1)!.split(" ")[0], y.at(-1)!.split(" ")[0]];
      const found = (l: string[]) => l.filter((s) => /^\* (SEARCH|SORT|THREAD)/.test(s)).join();
      if (p !== q) {
        note(
          commandKinds.find(([e]) => e.test(cmd))?.[1] ??
            (new Set([p, q]).has("OK") ? undefined : "both: BAD or NO for what can't be done"),
          `${JSON.stringify(cmd)}: ours ${x.at(-1)}, dovecot ${y.at(-1)}`,
        );
      } else if (messages === 0 && !cmd.startsWith("THREAD") && found(x) !== found(y)) {
        note(undefined, `${JSON.stringify(cmd)}: ours ${found(x)}, dovecot ${found(y)}`);
      }
    }
  } finally {
    for (const c of clients) c.close();
    await dovecot.stop();
    await ours.stop();
  }
  return r;
}
