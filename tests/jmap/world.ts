/** A whole mail server with JMAP, IMAP and SMTP on loopback, and a client of JMAP. */
import { Config } from "../../src/config/mod.ts";
import { scriptedResolver } from "../../src/dns/mod.ts";
import { setLevel } from "../../src/log/mod.ts";
import { setAccountPassword } from "../../src/serve/logins.ts";
import { MailServer } from "../../src/serve/server.ts";
import { opportunistic } from "../../src/tlspolicy/mod.ts";
import { freePorts } from "../serve/instance.ts";
import { type FakeHost, fakeHost } from "../smtp/fake_host.ts";

for (
  const pkg of [
    "serve",
    "queue",
    "smtpclient",
    "control",
    "jmap",
    "http",
    "webhook",
    "smtpserver",
    "imapserver",
    "submission",
  ]
) {
  setLevel(pkg, "error");
}

export const password = "correct horse";

export const using = [
  "urn:ietf:params:jmap:core",
  "urn:ietf:params:jmap:mail",
  "urn:ietf:params:jmap:submission",
  "urn:ietf:params:jmap:vacationresponse",
  "urn:ietf:params:jmap:quota",
  "urn:ietf:params:jmap:blob",
  "urn:ietf:params:jmap:mdn",
  "urn:ietf:params:jmap:principals",
];

// deno-lint-ignore no-explicit-any -- tests look into answers freely
export type Json = any;
export type Call = [string, Json, string];

export interface Answer {
  status: number;
  json: Json;
  text: string;
  headers: Headers;
}

export const basic = (login: string, secret = password) =>
  `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(`${login}:${secret}`)))}`;

async function answerOf(r: Response): Promise<Answer> {
  const text = await r.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: r.status, json, text, headers: r.headers };
}

export class Client {
  readonly base: string;
  readonly login: string;
  readonly accountId: string;
  using: string[] = using;

  constructor(base: string, login: string, accountId: string) {
    this.base = base;
    this.login = login;
    this.accountId = accountId;
  }

  get authorization(): string {
    return basic(this.login);
  }

  /** A request as it is. */
  async raw(path: string, init: RequestInit = {}): Promise<Answer> {
    const headers = new Headers(init.headers);
    if (!headers.has("authorization")) headers.set("authorization", this.authorization);
    return await answerOf(
      await fetch(new URL(path, this.base), { redirect: "manual", ...init, headers }),
    );
  }

  post(body: unknown): Promise<Answer> {
    return this.raw("api", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  }

  /** Responses of calls; accountId is filled in. */
  async calls(methodCalls: Call[]): Promise<Call[]> {
    const filled = methodCalls.map(([n, a, c]) =>
      [n, n === "Core/echo" ? a : { accountId: this.accountId, ...a }, c] as Call
    );
    const r = await this.post({ using: this.using, methodCalls: filled });
    if (r.status !== 200) throw new Error(`${r.status} ${r.text}`);
    return r.json.methodResponses;
  }

  /** Arguments of the one response. */
  async call(name: string, args: Json = {}): Promise<Json> {
    const [r] = await this.calls([[name, args, "0"]]);
    if (r[0] === "error") throw new MethodFailure(name, r[1]);
    return r[1];
  }

  /** The error of a call that fails. */
  async fails(name: string, args: Json = {}): Promise<Json> {
    const [r] = await this.calls([[name, args, "0"]]);
    if (r[0] !== "error") throw new Error(`${name} did not fail: ${JSON.stringify(r[1])}`);
    return r[1];
  }

  async upload(data: string | Uint8Array, type = "message/rfc822"): Promise<string> {
    const r = await this.raw(`upload/${this.accountId}/`, {
      method: "POST",
      headers: { "content-type": type },
      body: data as BodyInit,
    });
    if (r.status !== 201) throw new Error(`${r.status} ${r.text}`);
    return r.json.blobId;
  }

  /** Ids of mailboxes by role. */
  async roles(): Promise<Record<string, string>> {
    const { list } = await this.call("Mailbox/get", { properties: ["role"] });
    return Object.fromEntries(
      list.filter((m: Json) => m.role !== null).map((m: Json) => [m.role, m.id]),
    );
  }

  /** Puts a message in; returns the Email. */
  async import(
    message: string,
    mailboxId?: string,
    more: Json = {},
  ): Promise<{ id: string; threadId: string; blobId: string; size: number }> {
    const blobId = await this.upload(message.replace(/\r?\n/g, "\r\n"));
    mailboxId ??= (await this.roles()).inbox;
    const r = await this.call("Email/import", {
      emails: { e: { blobId, mailboxIds: { [mailboxId!]: true }, ...more } },
    });
    if (!r.created?.e) throw new Error(JSON.stringify(r));
    return r.created.e;
  }

  async email(id: string, properties?: string[], more: Json = {}): Promise<Json> {
    const r = await this.call("Email/get", { ids: [id], properties, ...more });
    return r.list[0];
  }
}

export class MethodFailure extends Error {
  readonly error: Json;
  constructor(name: string, error: Json) {
    super(`${name}: ${JSON.stringify(error)}`);
    this.error = error;
  }
}

export interface World {
  server: MailServer;
  host: FakeHost;
  /** URL of JMAP. */
  base: string;
  origin: string;
  ports: { http: number; smtp: number; imap: number };
  dir: string;
  ann: Client;
  bob: Client;
  restart(): Promise<void>;
}

export async function withJmap(
  fn: (w: World) => Promise<void>,
  o: { account?: string; jmap?: string; static?: string } = {},
): Promise<void> {
  const dir = await Deno.makeTempDir();
  await using host = await fakeHost({ extensions: ["8BITMIME", "PIPELINING", "SMTPUTF8"] });
  const [http, smtp, imap] = await freePorts(3);
  await Deno.writeTextFile(
    `${dir}/mox.conf`,
    `DataDir: data\nLogLevel: error\nHostname: mail.mox.example\n${
      o.static ?? ""
    }Listeners:\n\tweb:\n\t\tIPs:\n` +
      `\t\t\t- 127.0.0.1\n\t\tSMTP:\n\t\t\tEnabled: true\n\t\t\tPort: ${smtp}\n\t\t\tNoSTARTTLS: true\n` +
      `\t\t\tFirstTimeSenderDelay: 0s\n` +
      `\t\tIMAP:\n\t\t\tEnabled: true\n\t\t\tPort: ${imap}\n\t\t\tNoRequireSTARTTLS: true\n` +
      `\t\tJMAPHTTP:\n\t\t\tEnabled: true\n\t\t\tPort: ${http}\n${
        (o.jmap ?? "").replaceAll("PORT", String(http))
      }` +
      `Postmaster:\n\tAccount: ann\n\tMailbox: Postmaster\n` +
      `InitialMailboxes:\n\tSpecialUse:\n\t\tSent: Sent\n\t\tArchive: Archive\n\t\tTrash: Trash\n` +
      `\t\tDraft: Drafts\n\t\tJunk: Junk\n`,
  );
  await Deno.writeTextFile(
    `${dir}/domains.conf`,
    `Domains:\n\tmox.example: nil\nAccounts:\n` +
      `\tann:\n\t\tDomain: mox.example\n\t\tFullName: Ann\n${o.account ?? ""}` +
      `\t\tDestinations:\n\t\t\tann@mox.example: nil\n\t\t\tann2@mox.example: nil\n` +
      `\tbob:\n\t\tDomain: mox.example\n\t\tDestinations:\n\t\t\tbob@mox.example: nil\n`,
  );
  const resolver = scriptedResolver({
    "to.example": { MX: ["10 to.example"], A: ["127.0.0.1"], authenticated: true },
  });
  const start = async () =>
    await MailServer.start({
      config: await Config.load(`${dir}/mox.conf`),
      local: false,
      outgoing: { resolver, port: host.port, tlsPolicy: opportunistic },
      receiving: { resolver },
      prepare: async (accounts) => {
        await setAccountPassword(accounts, "ann", password);
        await setAccountPassword(accounts, "bob", password);
      },
    });
  const origin = `http://127.0.0.1:${http}`;
  const base = `${origin}/jmap/`;
  const w: World = {
    server: await start(),
    host,
    base,
    origin,
    ports: { http, smtp, imap },
    dir,
    ann: new Client(base, "ann@mox.example", "ann"),
    bob: new Client(base, "bob@mox.example", "bob"),
    async restart() {
      await w.server.stop();
      w.server = await start();
    },
  };
  w.ann.using = w.bob.using = knownOf((await w.ann.raw("session")).json);
  try {
    await fn(w);
  } finally {
    await w.server.stop();
    await Deno.remove(dir, { recursive: true });
  }
}

function knownOf(session: Json): string[] {
  const all = new Set([
    ...Object.keys(session.capabilities),
    ...Object.keys(session.primaryAccounts),
  ]);
  return [...all];
}
