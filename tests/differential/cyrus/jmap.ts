/** JMAP of two servers beside each other: the same messages, the same calls. @module */
import type { Disagreement } from "./dav.ts";
import { type Ids, jmapCases } from "./jmap_cases.ts";
import { samples } from "./jmap_messages.ts";

type Json = unknown;
type Args = Record<string, unknown>;

const using = [
  "urn:ietf:params:jmap:core",
  "urn:ietf:params:jmap:mail",
  "urn:ietf:params:jmap:submission",
  "urn:ietf:params:jmap:vacationresponse",
];

/** Properties whose values are a server's own. */
const own = new Set(["state", "oldState", "newState", "queryState", "blobId", "newQueryState"]);

/** A server with what its ids are called. */
export class JmapServer {
  readonly #authorization: string;
  readonly #session: string;
  #api = "";
  #upload = "";
  account = "";
  readonly #ids = new Map<string, string>();
  readonly #labels = new Map<string, string>();

  constructor(session: string, authorization: string) {
    this.#session = session;
    this.#authorization = authorization;
  }

  async open(): Promise<void> {
    const r = await fetch(this.#session, { headers: { authorization: this.#authorization } });
    const s = await r.json();
    this.account = s.primaryAccounts["urn:ietf:params:jmap:mail"];
    const at = (url: string) => new URL(url, this.#session).href;
    this.#api = at(s.apiUrl);
    this.#upload = at(s.uploadUrl.replace("{accountId}", this.account));
  }

  name(label: string, id: string): void {
    this.#ids.set(label, id);
    // What several labels are of keeps the first.
    if (!this.#labels.has(id)) this.#labels.set(id, label);
  }

  readonly id: Ids = (label) => this.#ids.get(label) ?? `unknown-${label}`;

  async call(calls: [string, Args, string][]): Promise<[string, Args, string][]> {
    const r = await fetch(this.#api, {
      method: "POST",
      headers: { authorization: this.#authorization, "content-type": "application/json" },
      body: JSON.stringify({ using, methodCalls: calls }),
    });
    const text = await r.text();
    if (!r.ok) return [["request", { type: `${r.status}` }, ""]];
    return JSON.parse(text).methodResponses;
  }

  async upload(text: string): Promise<string> {
    const r = await fetch(this.#upload, {
      method: "POST",
      headers: { authorization: this.#authorization, "content-type": "message/rfc822" },
      body: text,
    });
    return (await r.json()).blobId;
  }

  /** An answer without what is the server's own. */
  plain(value: Json, name = ""): Json {
    if (own.has(name)) return "*";
    if (name === "accountId" || name === "fromAccountId") return "*";
    if (typeof value === "string") return this.#labels.get(value) ?? value;
    if (Array.isArray(value)) return value.map((x) => this.plain(x));
    if (value === null || typeof value !== "object") return value;
    const known = Object.entries(value).filter(([k, v]) =>
      // Cyrus has an empty list, and no size, where a part has no parts, and a keyword of its own.
      !(k === "subParts" && (v === null || (v as Json[]).length === 0)) &&
      !(k === "size" && Array.isArray((value as Args).subParts) &&
        ((value as Args).subParts as Json[]).length > 0) &&
      k !== "$hasattachment"
    );
    const entries = known.map(([k, v]) => [this.#labels.get(k) ?? k, this.plain(v, k)] as const);
    return Object.fromEntries(entries.sort(([a], [b]) => a < b ? -1 : 1));
  }
}

async function fill(s: JmapServer): Promise<void> {
  const accountId = s.account;
  const one = async (method: string, args: Args): Promise<Args> => {
    const [[name, result]] = await s.call([[method, { accountId, ...args }, "0"]]);
    if (name !== method) throw new Error(`${method}: ${JSON.stringify(result)}`);
    return result;
  };
  for (const name of ["Alpha", "Beta", "Gamma", "Below"]) {
    const parentId = name === "Below" ? s.id("mailbox:Alpha") : null;
    const { created, notCreated } = await one("Mailbox/set", { create: { a: { name, parentId } } });
    const id = (created as { a?: { id: string } } | null)?.a?.id;
    if (id === undefined) throw new Error(`${name}: ${JSON.stringify(notCreated)}`);
    s.name(`mailbox:${name}`, id);
  }
  const list = (await one("Mailbox/get", {})).list as { id: string; role: string }[];
  for (const m of list) if (m.role === "inbox") s.name("mailbox:inbox", m.id);
  for (const m of samples) {
    const blobId = await s.upload(m.text);
    const emails = {
      a: {
        blobId,
        mailboxIds: Object.fromEntries(m.mailboxes.map((x) => [s.id(`mailbox:${x}`), true])),
        keywords: Object.fromEntries(m.keywords.map((k) => [k, true])),
        receivedAt: m.receivedAt,
      },
    };
    const { created, notCreated } = await one("Email/import", { emails });
    const made = (created as { a?: { id: string; threadId: string } } | null)?.a;
    if (made === undefined) throw new Error(`${m.id}: ${JSON.stringify(notCreated)}`);
    s.name(`email:${m.id}`, made.id);
    s.name(`thread:${m.id}`, made.threadId);
  }
  // A reply that joins may change the thread of what it joins.
  const got = await one("Email/get", {
    ids: samples.map((m) => s.id(`email:${m.id}`)),
    properties: ["threadId"],
  });
  for (const e of got.list as { id: string; threadId: string }[]) {
    const label = samples.find((m) => s.id(`email:${m.id}`) === e.id)!.id;
    s.name(`thread:${label}`, e.threadId);
  }
}

/** Of an error its type counts, of what couldn't be set too. */
function essence(method: string, result: Args): Args {
  if (method === "error" || method === "request") return { type: result.type };
  const bare = (x: Json): Json => {
    const e = x as { type: string; properties?: string[] };
    return { type: e.type };
  };
  const out: Args = { ...result };
  for (const k of ["notCreated", "notUpdated", "notDestroyed"]) {
    const v = out[k] as Record<string, Json> | null | undefined;
    if (v) out[k] = Object.fromEntries(Object.entries(v).map(([id, e]) => [id, bare(e)]));
  }
  // What a server adds to what was created is its own.
  if (out.created) out.created = Object.keys(out.created as Args);
  for (const k of Object.keys(out)) {
    const v = out[k];
    if (v === null || k !== "list" && k !== "ids" && Array.isArray(v) && v.length === 0) {
      delete out[k];
    } else if (typeof v === "object" && !Array.isArray(v) && Object.keys(v!).length === 0) {
      delete out[k];
    }
  }
  // Cyrus repeats what was asked, and says more than the RFC has.
  for (const k of ["canCalculateChanges", "performance", "sort", "filter", "collapseThreads"]) {
    delete out[k];
  }
  return out;
}

/** Fills both and asks both; what they disagree about. */
export async function compareJmap(
  ours: JmapServer,
  theirs: JmapServer,
  index: () => Promise<void>,
): Promise<{ asked: number; different: Disagreement[] }> {
  for (const s of [ours, theirs]) {
    await s.open();
    await fill(s);
  }
  await index();
  const different: Disagreement[] = [];
  const cases = jmapCases();
  for (const c of cases) {
    const answers: string[] = [];
    for (const s of [ours, theirs]) {
      const args: Args = { accountId: s.account, ...c.args(s.id) };
      if (args.fromAccountId === "$") args.fromAccountId = s.account;
      const answer = (await s.call([[c.method, args, "0"]])).at(-1)!;
      // Cyrus gives the total whether or not it is asked for.
      if (args.calculateTotal !== true) delete answer[1].total;
      answers.push(`${answer[0]} ${JSON.stringify(s.plain(essence(answer[0], answer[1])))}`);
    }
    if (answers[0] !== answers[1]) {
      different.push({ name: c.name, ours: answers[0], theirs: answers[1] });
    }
  }
  return { asked: cases.length, different };
}
