/** A mail server with CardDAV and CalDAV on loopback, and a client of them. */
import assert from "node:assert/strict";
import { Config } from "../../src/config/mod.ts";
import { scriptedResolver } from "../../src/dns/mod.ts";
import { setLevel } from "../../src/log/mod.ts";
import { setAccountPassword } from "../../src/serve/logins.ts";
import { MailServer } from "../../src/serve/server.ts";
import { opportunistic } from "../../src/tlspolicy/mod.ts";
import { child, children, parseXml, textOf, type XmlElement } from "../../src/dav/xml/parse.ts";
import { freePorts } from "../serve/instance.ts";
import { type FakeHost, fakeHost } from "../smtp/fake_host.ts";

for (const pkg of ["serve", "queue", "smtpclient", "control", "http", "dav", "submission"]) {
  setLevel(pkg, "error");
}
setLevel("smtpserver", "error");

export const password = "correct horse";

export const ns = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" ' +
  'xmlns:A="urn:ietf:params:xml:ns:carddav" xmlns:S="http://calendarserver.org/ns/"';

/** An answer, with its XML read where it is some. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The root; undefined where the body is no XML. */
  xml: XmlElement | undefined;
}

/** One response of a multistatus. */
export interface DavResponse {
  href: string;
  /** Of the whole resource; undefined where it is by property. */
  status: number | undefined;
  /** Elements by {namespace}name, of those found. */
  found: Map<string, XmlElement>;
  /** Names by status, of those that weren't. */
  failed: Map<string, number>;
}

const statusOf = (e: XmlElement | undefined) => e && Number(textOf(e).split(" ")[1]);
const key = (e: XmlElement) => `{${e.ns}}${e.name}`;

/** The responses of a multistatus. */
export function responses(a: Answer): DavResponse[] {
  assert.equal(a.status, 207, a.text);
  return children(a.xml!).filter((c) => c.name === "response").map((r) => {
    const found = new Map<string, XmlElement>();
    const failed = new Map<string, number>();
    for (const p of children(r).filter((c) => c.name === "propstat")) {
      const status = statusOf(child(p, "DAV:", "status"))!;
      for (const e of children(child(p, "DAV:", "prop")!)) {
        if (status === 200) found.set(key(e), e);
        else failed.set(key(e), status);
      }
    }
    return {
      href: textOf(child(r, "DAV:", "href")!),
      status: statusOf(child(r, "DAV:", "status")),
      found,
      failed,
    };
  });
}

/** The condition of an error: the name of the first element in DAV:error. */
export function condition(a: Answer): string | undefined {
  const e = a.xml && children(a.xml)[0];
  return e && key(e);
}

export class DavClient {
  readonly base: string;
  readonly login: string;
  readonly secret: string;
  constructor(base: string, login: string, secret = password) {
    this.base = base;
    this.login = login;
    this.secret = secret;
  }

  /** A request to a path below /dav/, or to one that begins with "/". */
  async send(
    method: string,
    path: string,
    body?: string | Uint8Array,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const r = await fetch(new URL(path, this.base), {
      method,
      body: body as BodyInit,
      redirect: "manual",
      headers: {
        Authorization: `Basic ${btoa(`${this.login}:${this.secret}`)}`,
        ...(body === undefined ? {} : { "Content-Type": "application/xml" }),
        ...headers,
      },
    });
    const text = await r.text();
    let xml: XmlElement | undefined;
    if (r.headers.get("content-type")?.includes("xml") && text !== "") {
      xml = parseXml(new TextEncoder().encode(text));
    }
    return { status: r.status, headers: r.headers, text, xml };
  }

  put(path: string, text: string, headers: Record<string, string> = {}): Promise<Answer> {
    const type = /\.vcf$/.test(path) ? "text/vcard" : "text/calendar";
    return this.send("PUT", path, text, { "Content-Type": `${type}; charset=utf-8`, ...headers });
  }

  /** PROPFIND for properties, as elements with the prefixes of {@link ns}. */
  async propfind(path: string, props: string, depth = "0"): Promise<DavResponse[]> {
    return responses(
      await this.send(
        "PROPFIND",
        path,
        `<D:propfind ${ns}><D:prop>${props}</D:prop></D:propfind>`,
        { Depth: depth },
      ),
    );
  }

  async report(path: string, body: string, depth = "1"): Promise<DavResponse[]> {
    return responses(await this.send("REPORT", path, body, { Depth: depth }));
  }

  /** sync-collection: changed and gone addresses, and the next token. */
  async sync(path: string, token: string, more = ""): Promise<{
    changed: string[];
    gone: string[];
    token: string;
    more: boolean;
  }> {
    const a = await this.send(
      "REPORT",
      path,
      `<D:sync-collection ${ns}><D:sync-token>${token}</D:sync-token><D:sync-level>1</D:sync-level>` +
        `${more}<D:prop><D:getetag/></D:prop></D:sync-collection>`,
    );
    const list = responses(a);
    return {
      changed: list.filter((r) => r.status === undefined).map((r) => r.href),
      gone: list.filter((r) => r.status === 404).map((r) => r.href),
      token: textOf(child(a.xml!, "DAV:", "sync-token")!),
      more: list.some((r) => r.status === 507),
    };
  }
}

/** An event as text. `lines` come after its UID. */
export function event(uid: string, ...lines: string[]): string {
  return [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//mox//test//EN",
    "BEGIN:VEVENT",
    `UID:${uid}`,
    "DTSTAMP:20260101T000000Z",
    ...lines,
    "END:VEVENT",
    "END:VCALENDAR",
    "",
  ].join("\r\n");
}

/** A card as text. */
export function card(uid: string, ...lines: string[]): string {
  return ["BEGIN:VCARD", "VERSION:3.0", `UID:${uid}`, ...lines, "END:VCARD", ""].join("\r\n");
}

export interface World {
  server: MailServer;
  host: FakeHost;
  origin: string;
  ports: { http: number; smtp: number };
  dir: string;
  ann: DavClient;
  bob: DavClient;
  /** Of another domain. */
  eve: DavClient;
  restart(): Promise<void>;
}

export async function withDav(fn: (w: World) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  await using host = await fakeHost({ extensions: ["8BITMIME", "PIPELINING", "SMTPUTF8"] });
  const [http, smtp] = await freePorts(2);
  await Deno.writeTextFile(
    `${dir}/mox.conf`,
    `DataDir: data\nLogLevel: error\nHostname: mail.mox.example\nListeners:\n\tweb:\n\t\tIPs:\n` +
      `\t\t\t- 127.0.0.1\n\t\tSMTP:\n\t\t\tEnabled: true\n\t\t\tPort: ${smtp}\n\t\t\tNoSTARTTLS: true\n` +
      `\t\t\tFirstTimeSenderDelay: 0s\n` +
      `\t\tDAVHTTP:\n\t\t\tEnabled: true\n\t\t\tPort: ${http}\n` +
      `Postmaster:\n\tAccount: ann\n\tMailbox: Postmaster\n` +
      `InitialMailboxes:\n\tSpecialUse:\n\t\tSent: Sent\n\t\tArchive: Archive\n\t\tTrash: Trash\n` +
      `\t\tDraft: Drafts\n\t\tJunk: Junk\n`,
  );
  await Deno.writeTextFile(
    `${dir}/domains.conf`,
    `Domains:\n\tmox.example: nil\n\tother.example: nil\nAccounts:\n` +
      `\tann:\n\t\tDomain: mox.example\n\t\tFullName: Ann\n` +
      `\t\tDestinations:\n\t\t\tann@mox.example: nil\n\t\t\tann2@mox.example: nil\n` +
      `\tbob:\n\t\tDomain: mox.example\n\t\tDestinations:\n\t\t\tbob@mox.example: nil\n` +
      `\teve:\n\t\tDomain: other.example\n\t\tDestinations:\n\t\t\teve@other.example: nil\n`,
  );
  const resolver = scriptedResolver({
    "to.example": { MX: ["10 to.example"], A: ["127.0.0.1"], authenticated: true },
    // Senders there are verified (SPF and DMARC).
    "sure.example": {
      MX: ["10 to.example"],
      A: ["127.0.0.1"],
      TXT: ["v=spf1 ip4:127.0.0.1 -all"],
      authenticated: true,
    },
    "_dmarc.sure.example": { TXT: ["v=DMARC1; p=reject"] },
  });
  const start = async () =>
    await MailServer.start({
      config: await Config.load(`${dir}/mox.conf`),
      local: false,
      outgoing: { resolver, port: host.port, tlsPolicy: opportunistic },
      receiving: { resolver },
      prepare: async (accounts) => {
        for (const name of ["ann", "bob", "eve"]) {
          await setAccountPassword(accounts, name, password);
        }
      },
    });
  const origin = `http://127.0.0.1:${http}`;
  const base = `${origin}/dav/`;
  const w: World = {
    server: await start(),
    host,
    origin,
    ports: { http, smtp },
    dir,
    ann: new DavClient(base, "ann@mox.example"),
    bob: new DavClient(base, "bob@mox.example"),
    eve: new DavClient(base, "eve@other.example"),
    async restart() {
      await w.server.stop();
      w.server = await start();
    },
  };
  try {
    await fn(w);
  } finally {
    await w.server.stop();
    await Deno.remove(dir, { recursive: true });
  }
}

/** Makes a home as it was at the start. */
async function reset(c: DavClient, account: string): Promise<void> {
  for (const home of ["calendars", "addressbooks"]) {
    for (const r of await c.propfind(`${home}/${account}/`, "<D:resourcetype/>", "1")) {
      if (r.href.split("/").length === 6) await c.send("DELETE", r.href);
    }
    const made = await c.send(
      home === "calendars" ? "MKCALENDAR" : "MKCOL",
      `${home}/${account}/default/`,
    );
    assert.equal(made.status, 201, made.text);
  }
}

/** Tests that share one server, one after the other, each with homes as they were at the start. */
export function suite(title: string): (name: string, fn: (w: World) => Promise<void>) => void {
  const list: { name: string; fn: (w: World) => Promise<void> }[] = [];
  Deno.test(title, (t) =>
    withDav(async (w) => {
      for (const { name, fn } of list) {
        await t.step(name, async () => {
          await reset(w.ann, "ann");
          await reset(w.bob, "bob");
          await fn(w);
        });
      }
    }));
  return (name, fn) => void list.push({ name, fn });
}
