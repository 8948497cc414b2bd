/** A context for running scripts in tests: a message in memory, mailboxes by name. */
import {
  type ImapEvent,
  type SieveContext,
  type SieveEnvelope,
  SieveMail,
} from "../../src/sieve/mod.ts";
import {
  compileSieve,
  executeSieve,
  type SieveResult,
  type SieveScript,
} from "../../src/sieve/mod.ts";

export interface TestContext {
  envelope?: Partial<SieveEnvelope>;
  /** Mailboxes by name, with special use and annotations. */
  mailboxes?: Record<
    string,
    { specialUses?: string[]; id?: string; annotations?: Record<string, string> }
  >;
  now?: number;
  scripts?: Record<string, string>;
  lists?: Record<string, string[]>;
  seen?: string[];
  spamScore?: number;
  virus?: number;
  environment?: Record<string, string>;
  limits?: SieveContext["limits"];
  imap?: ImapEvent;
  zone?: number;
}

export function testContext(message: string, o: TestContext = {}): SieveContext {
  const bytes = new TextEncoder().encode(message.replace(/\r?\n/g, "\r\n"));
  const boxes = Object.entries(o.mailboxes ?? { INBOX: {} }).map(([name, m]) => ({
    name,
    specialUses: m.specialUses ?? [],
    id: m.id ?? `F${name}`,
    annotations: m.annotations ?? {},
  }));
  return {
    message: new SieveMail({
      prefix: new Uint8Array(0),
      size: bytes.length,
      read: (from, to) => bytes.slice(from, to),
    }),
    envelope: { from: "joe@example.com", to: "me@example.com", ...o.envelope },
    mailboxes: {
      byName: (name) => boxes.find((b) => b.name === name),
      byId: (id) => boxes.find((b) => b.id === id),
      bySpecialUse: (use) =>
        boxes.find((b) => b.specialUses.some((u) => u.toLowerCase() === use.toLowerCase())),
      annotation: (box, name) => boxes.find((b) => b.name === box)?.annotations[name],
    },
    now: o.now ?? Date.parse("2026-11-30T01:02:03Z"),
    zone: () => o.zone ?? 0,
    environment: (name) => o.environment?.[name],
    inList: (list, value) => o.lists?.[list]?.includes(value.toLowerCase()),
    include: (name, where) => {
      const text = o.scripts?.[`${where}/${name}`] ?? o.scripts?.[name];
      return text === undefined ? undefined : compileSieve(text, { name });
    },
    seen: (key) => o.seen?.includes(key) ?? false,
    spamScore: o.spamScore,
    virus: o.virus,
    isOwnAddress: () => false,
    separators: ["+"],
    limits: o.limits,
    imap: o.imap,
  };
}

export function runScript(
  script: string | SieveScript,
  message: string,
  o: TestContext = {},
): SieveResult {
  const compiled = typeof script === "string" ? compileSieve(script) : script;
  return executeSieve([compiled], testContext(message, o));
}

/** Actions in short: "keep", "fileinto:Box", "redirect:a@b" and so on. */
export function shortActions(r: SieveResult): string[] {
  return r.actions.map((a) => {
    const flags = (f: readonly string[] | undefined) =>
      f && f.length > 0 ? ` [${f.join(" ")}]` : "";
    switch (a.kind) {
      case "keep":
        return `keep${flags(a.flags)}`;
      case "fileinto":
        return `fileinto ${a.filing.mailbox}${flags(a.filing.flags)}`;
      case "redirect":
        return `redirect ${a.redirect.address}`;
      case "redirectToList":
        return `redirect :list ${a.list}`;
      case "reject":
        return `${a.extended ? "ereject" : "reject"} ${a.reason}`;
      case "vacation":
        return `vacation ${a.vacation.reason}`;
      case "notify":
        return `notify ${a.notification.method}`;
      case "discard":
        return "discard";
    }
  });
}
