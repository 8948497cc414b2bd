/** One of the two servers of the first hour: made by quickstart, changed as an administrator would. @module */
import { connect } from "node:tls";
import { ImapFlow } from "imapflow";
import nodemailer from "nodemailer";
import { join } from "node:path";
import { run, type RunOptions, type Server, startServer } from "./program.ts";
import type { World } from "./world.ts";

/** Whom and what a site is for. */
export interface SiteOptions {
  program: readonly string[];
  /** An empty folder. */
  dir: string;
  domain: string;
  /** Of the public listener, and of the pages on "this machine only": two sites are on one machine. */
  ip: string;
  internalIp: string;
  /** User id of the server. */
  uid: number;
  /** Started as root, and becomes the user; or started as the user, with the right to low ports. */
  asRoot: boolean;
}

export class Site {
  readonly host: string;
  readonly address: string;
  password = "";
  server: Server | undefined;
  readonly o: SiteOptions;
  readonly #world: World;

  constructor(options: SiteOptions, world: World) {
    this.o = options;
    this.#world = world;
    this.host = `mail.${options.domain}`;
    this.address = `user@${options.domain}`;
  }

  get #options(): RunOptions {
    return { cwd: this.o.dir, env: { MOX_DNS_SERVERS: this.#world.dns } };
  }

  /** Runs a subcommand as root. */
  mox(...args: string[]): Promise<string> {
    return run(this.o.program, args, this.#options);
  }

  /** Quickstart, with its look at the DNS; then what is special about this machine. */
  async setUp(): Promise<void> {
    const { o } = this;
    const zone = this.#world.zone;
    for (const name of [this.host, `mta-sts.${o.domain}`, `www.${o.domain}`]) {
      zone.push({ name, type: "A", data: o.ip, ttl: 60 });
    }
    const reverse = `${o.ip.split(".").reverse().join(".")}.in-addr.arpa`;
    zone.push({ name: reverse, type: "PTR", data: this.host });
    const said = await this.mox(
      ...["quickstart", "-hostname", this.host, "-ip", o.ip, this.address, String(o.uid)],
    );
    this.#world.addZone(
      // Addresses are there already.
      said.split("\n").filter((line) => !/^\S+\s+A\s/.test(line)).join("\n"),
    );
    this.password = /account user \(\S+\): (\S+)/.exec(said)?.[1] ?? "";
    if (this.password === "") throw new Error(`quickstart prints no password: ${said}`);
    const { authority } = this.#world;
    await Deno.writeTextFile(join(o.dir, "authority.pem"), authority.ca.root);
    await this.#edit(
      "mox.conf",
      (text) =>
        text.replace(/DirectoryURL: .*/, `DirectoryURL: ${authority.directory}`)
          .replace("\t\t\t- 127.0.0.1\n\t\t\t- ::1\n", `\t\t\t- ${o.internalIp}\n`)
          .replace("\t\t\t- 127.0.0.1\n", `\t\t\t- ${o.internalIp}\n`)
          .replace(
            `\t\t\t- ${o.ip}\n`,
            `\t\t\t- ${o.ip}\n\t\tSMTPMaxMessageSize: 20000000\n`,
          )
          // All the world is on loopback here, which isn't the internet.
          .replace("Listeners:\n", "AllowedUserNetworks:\n\t- 127.0.0.0/8\nListeners:\n")
          .replace(/\t\tSMTP:\n/, "\t\tSMTP:\n\t\t\tFirstTimeSenderDelay: 0s\n") +
        "TLS:\n\tCA:\n\t\tAdditionalToSystem: true\n\t\tCertFiles:\n\t\t\t- ../authority.pem\n",
    );
    const { httpsPort } = this.#world;
    await this.#edit("domains.conf", (text) =>
      text.replace(
        "Accounts:\n\tuser:\n",
        `Accounts:\n\tuser:\n\t\tIncomingWebhook:\n\t\t\tURL: https://hooks.example:${httpsPort}/in\n`,
      ) +
      `WebHandlers:\n\t-\n\t\tDomain: www.${o.domain}\n\t\tPathRegexp: ^/\n\t\tWebForward:\n` +
      `\t\t\tURL: https://pages.example:${httpsPort}/\n`);
    await this.mox("config", "test");
  }

  async #edit(name: string, change: (text: string) => string): Promise<void> {
    const path = join(this.o.dir, "config", name);
    const before = await Deno.readTextFile(path);
    const after = change(before);
    if (after === before) throw new Error(`nothing was changed in ${name}`);
    await Deno.writeTextFile(path, after);
  }

  async start(): Promise<void> {
    const { uid, asRoot } = this.o;
    const as = asRoot ? {} : { uid, lowPorts: true };
    this.server = startServer(this.o.program, ["serve"], { ...this.#options, ...as });
    await this.server.says("mox is running");
  }

  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    const code = await server?.end();
    if (code) throw new Error(`the server of ${this.host} ends with ${code}: ${server?.said()}`);
  }

  /** Makes a handshake that verifies. @returns serial number of the certificate */
  certificate(name: string, port: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const { root } = this.#world.authority.ca;
      const socket = connect({ host: this.o.ip, port, servername: name, ca: root }, () => {
        resolve(socket.getPeerCertificate().serialNumber);
        socket.destroy();
      });
      socket.on("error", reject);
      socket.setTimeout(5000, () => socket.destroy(new Error("no handshake in 5 seconds")));
    });
  }

  async send(to: Site, subject: string): Promise<void> {
    await nodemailer.createTransport({
      host: this.o.ip,
      port: 465,
      secure: true,
      auth: { user: this.address, pass: this.password },
      tls: { ca: this.#world.authority.ca.root, servername: this.host },
    }).sendMail({ from: this.address, to: to.address, subject, text: `${subject}, you there\n` });
  }

  /** Waits for a message with the subject in the Inbox. @returns its source */
  async received(subject: string, ms = 60_000): Promise<string> {
    const client = new ImapFlow({
      host: this.o.ip,
      port: 993,
      secure: true,
      servername: this.host,
      auth: { user: this.address, pass: this.password },
      tls: { ca: this.#world.authority.ca.root },
      logger: false,
    });
    client.on("error", () => {});
    await client.connect();
    const lock = await client.getMailboxLock("INBOX");
    try {
      for (const until = Date.now() + ms; Date.now() < until;) {
        const found = await client.search({ subject });
        if (found && found.length > 0) {
          const m = await client.fetchOne(String(found[0]), { source: true });
          if (m && m.source) return m.source.toString();
        }
        await new Promise((resolve) => setTimeout(resolve, 200));
        await client.noop();
      }
      throw new Error(`no message "${subject}" comes to ${this.address}`);
    } finally {
      lock.release();
      await client.logout();
    }
  }

  /** Metrics of the server, as Prometheus gets them. */
  async metrics(): Promise<string> {
    return await (await fetch(`http://${this.o.internalIp}:8010/metrics`)).text();
  }
}
