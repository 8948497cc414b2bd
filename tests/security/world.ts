/**
 * A server as `serve` runs it, for attackers: all listeners, two domains, some users; and the attackers' tools.
 * Attackers come from other addresses of loopback, which count as different networks.
 */
import { connect, type Socket } from "node:net";
import { connect as tlsConnect } from "node:tls";
import { Config } from "../../src/config/mod.ts";
import { scriptedResolver, type Zone } from "../../src/dns/mod.ts";
import { setLevel, setLogSink } from "../../src/log/mod.ts";
import { setAccountPassword } from "../../src/serve/logins.ts";
import { MailServer } from "../../src/serve/server.ts";
import { hashPassword } from "../../src/store/logins/password.ts";
import { certificate } from "../smtp/talk.ts";
import { freePorts } from "../support/ports.ts";

export const password = "correct horse";
export const adminPassword = "administrator";

export const defaultDomains = `Domains:
	mox.example: nil
	other.example: nil
Accounts:
	ann:
		Domain: mox.example
		Destinations:
			ann@mox.example: nil
			ann@other.example: nil
	bob:
		Domain: mox.example
		Destinations:
			bob@mox.example: nil
	eve:
		Domain: mox.example
		Destinations:
			eve@mox.example: nil
`;

export interface Ports {
  smtp: number;
  submission: number;
  submissions: number;
  imap: number;
  imaps: number;
  pop3: number;
  web: number;
}

/** A line-based client from an address of the attacker's choice. */
export class Line implements AsyncDisposable {
  #socket: Socket;
  #text = "";
  #wake: (() => void) | undefined;
  ended = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (b: Uint8Array) => {
      this.#text += new TextDecoder("latin1").decode(b);
      this.#wake?.();
    });
    const end = () => {
      this.ended = true;
      this.#wake?.();
    };
    socket.on("end", end);
    socket.on("close", end);
    socket.on("error", end);
  }

  static dial(port: number, from = "127.0.0.1", tls = false): Promise<Line> {
    return new Promise((resolve, reject) => {
      const plain = connect({ host: "127.0.0.1", port, localAddress: from });
      plain.once("error", reject);
      plain.once("connect", () => {
        if (!tls) return resolve(new Line(plain));
        const s = tlsConnect({
          socket: plain,
          rejectUnauthorized: false,
          servername: "mail.mox.example",
        });
        s.once("error", reject);
        s.once("secureConnect", () => resolve(new Line(s as unknown as Socket)));
      });
    });
  }

  write(text: string): void {
    this.#socket.write(text);
  }

  /** Waits until the text matches, or the connection ends; gives all that came up to there. */
  async until(expected: RegExp, ms = 60_000): Promise<string> {
    const deadline = performance.now() + ms;
    for (;;) {
      const found = expected.exec(this.#text);
      if (found) {
        const end = found.index + found[0].length;
        const got = this.#text.slice(0, end);
        this.#text = this.#text.slice(end);
        return got;
      }
      if (this.ended) throw new Error(`connection ended; got ${JSON.stringify(this.#text)}`);
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`no ${expected}; got ${JSON.stringify(this.#text)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Sends a command of SMTP; the whole answer. */
  async smtp(command: string): Promise<string> {
    this.write(`${command}\r\n`);
    return await this.until(/^\d{3} [^\r\n]*\r\n/m);
  }

  /** Sends a command of IMAP; all up to its tagged answer. */
  async imap(command: string): Promise<string> {
    const tag = `t${Math.random().toString(36).slice(2, 8)}`;
    this.write(`${tag} ${command}\r\n`);
    return await this.until(new RegExp(`^${tag} [^\\r\\n]*\\r\\n`, "m"));
  }

  /** Resolves to what came when the server has ended the connection. */
  async end(ms = 20_000): Promise<string> {
    const deadline = performance.now() + ms;
    while (!this.ended && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    if (!this.ended) throw new Error(`the connection goes on; got ${JSON.stringify(this.#text)}`);
    return this.#text;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    return Promise.resolve();
  }
}

/** A browser with its cookies. */
export class Browser {
  readonly #base: string;
  readonly #cookies = new Map<string, string>();
  constructor(port: number) {
    this.#base = `http://127.0.0.1:${port}`;
  }

  async request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.#cookies.size > 0) {
      headers.set("Cookie", [...this.#cookies].map(([k, v]) => `${k}=${v}`).join("; "));
    }
    const r = await fetch(this.#base + path, { ...init, headers, redirect: "manual" });
    for (const set of r.headers.getSetCookie()) {
      const [pair] = set.split(";", 1);
      const eq = pair.indexOf("=");
      this.#cookies.set(pair.slice(0, eq), pair.slice(eq + 1));
    }
    return r;
  }

  /** Calls a page's API, such as "/api/Login" of the account page. */
  async call(
    path: string,
    body: unknown,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; json: Record<string, unknown>; headers: Headers }> {
    const r = await this.request(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "x-mox-request": "1", ...headers },
      body: JSON.stringify(body),
    });
    const text = await r.text();
    let json: Record<string, unknown> = {};
    try {
      json = JSON.parse(text);
    } catch {
      json = { text };
    }
    return { status: r.status, json, headers: r.headers };
  }
}

export interface World extends AsyncDisposable {
  server: MailServer;
  dir: string;
  ports: Ports;
  /** What the server has logged so far. */
  log: string[];
  browser(): Browser;
  /** An IMAP connection with somebody logged in. */
  imap(login: string, pass?: string, from?: string): Promise<Line>;
  /** A submission connection with somebody logged in. */
  submission(login: string, pass?: string, from?: string): Promise<Line>;
}

export interface WorldOptions {
  /** Milliseconds since the epoch that limits of logins go by. */
  loginClock?: () => number;
  domains?: string;
  zone?: Zone;
  outgoingPort?: number;
  /** Lines of mox.conf. */
  static?: string;
  /** Lines of the listener, indented by two tabs. */
  listener?: string;
  files?: Record<string, string>;
}

const plain = (login: string, pass: string) =>
  btoa(String.fromCharCode(...new TextEncoder().encode(`\0${login}\0${pass}`)));

/** Starts it. The log is kept from then on, at level info. */
export async function startWorld(o: WorldOptions = {}): Promise<World> {
  const log: string[] = [];
  const before = setLogSink((l) => log.push(l));
  setLevel("", "info");
  const dir = await Deno.makeTempDir({ prefix: "mox-security-" });
  const [smtp, submission, submissions, imap, imaps, pop3, web] = await freePorts(7);
  const ports = { smtp, submission, submissions, imap, imaps, pop3, web };
  await Deno.mkdir(`${dir}/config`);
  const files: Record<string, string> = {
    "cert.pem": certificate.cert,
    "key.pem": certificate.key,
    "adminpasswd": await hashPassword(adminPassword),
    "mox.conf": `DataDir: ../data
LogLevel: info
User: 54321
Hostname: mail.mox.example
AdminPasswordFile: adminpasswd
${o.static ?? ""}Listeners:
	public:
		IPs:
			- 127.0.0.1
		TLS:
			KeyCerts:
				-
					CertFile: cert.pem
					KeyFile: key.pem
		SMTP:
			Enabled: true
			Port: ${smtp}
		Submission:
			Enabled: true
			Port: ${submission}
			NoRequireSTARTTLS: true
		Submissions:
			Enabled: true
			Port: ${submissions}
		IMAP:
			Enabled: true
			Port: ${imap}
			NoRequireSTARTTLS: true
		IMAPS:
			Enabled: true
			Port: ${imaps}
		POP3:
			Enabled: true
			Port: ${pop3}
			NoRequireSTARTTLS: true
		AccountHTTP:
			Enabled: true
			Port: ${web}
		AdminHTTP:
			Enabled: true
			Port: ${web}
		WebmailHTTP:
			Enabled: true
			Port: ${web}
		WebAPIHTTP:
			Enabled: true
			Port: ${web}
${o.listener ?? ""}Postmaster:
	Account: ann
	Mailbox: Postmaster
`,
    "domains.conf": o.domains ?? defaultDomains,
    ...o.files,
  };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${dir}/config/${name}`, text);
  }
  const config = await Config.load(`${dir}/config/mox.conf`);
  const resolver = scriptedResolver(o.zone ?? {});
  const server = await MailServer.start({
    config,
    local: false,
    outgoing: o.outgoingPort === undefined ? undefined : { resolver, port: o.outgoingPort },
    receiving: { resolver, wait: () => Promise.resolve(true), random: () => 0.5 },
    loginClock: o.loginClock,
    prepare: async (accounts) => {
      for (const name of config.dynamic.Accounts.keys()) {
        await setAccountPassword(accounts, name, password);
      }
    },
  });
  return {
    server,
    dir,
    ports,
    log,
    browser: () => new Browser(web),
    async imap(login, pass = password, from) {
      const c = await Line.dial(imap, from);
      await c.until(/^\* OK[^\r\n]*\r\n/m);
      const answer = await c.imap(`AUTHENTICATE PLAIN ${plain(login, pass)}`);
      if (!/ OK /.test(answer)) throw new Error(answer);
      return c;
    },
    async submission(login, pass = password, from) {
      const c = await Line.dial(submission, from);
      await c.until(/^220 [^\r\n]*\r\n/m);
      await c.smtp("EHLO laptop.example");
      const answer = await c.smtp(`AUTH PLAIN ${plain(login, pass)}`);
      if (!/^235/.test(answer)) throw new Error(answer);
      return c;
    },
    async [Symbol.asyncDispose]() {
      await server.stop();
      setLogSink(before);
      await Deno.remove(dir, { recursive: true });
    },
  };
}
