/** A small world: hosts on loopback addresses, a DNS that knows them, and a queue that delivers to them. */
import { join } from "node:path";
import { Config } from "../../src/config/mod.ts";
import { type ScriptedResolver, scriptedResolver, type Zone } from "../../src/dns/mod.ts";
import { Log, setLevel } from "../../src/log/mod.ts";
import {
  type DsnEvent,
  type NewQueueMessage,
  type OutgoingEvent,
  Queue,
  remoteDeliverer,
  type RemoteDelivererOptions,
} from "../../src/queue/mod.ts";
import { noPolicy, opportunistic } from "../../src/tlspolicy/opportunistic.ts";
import type { TlsPolicy } from "../../src/tlspolicy/types.ts";
import { type FakeHost, fakeHost, type FakeOptions } from "../smtp/fake_host.ts";
import { TestClock } from "./clock.ts";

setLevel("queue", "error");
setLevel("smtpclient", "error");

export const mailFrom = "me@mox.example";

/** Demands verified TLS of some domains, as MTA-STS would. */
export function enforcedFor(fits: (domain: string) => boolean): TlsPolicy {
  return {
    policyFor: (d) => Promise.resolve(fits(d) ? { ...noPolicy(d), mode: "enforce" } : noPolicy(d)),
    daneFor: () => Promise.resolve({ kind: "none" }),
    report() {},
  };
}

/** What a test says of the world. */
export interface WorldOptions {
  zone?: Zone;
  /** The DNS vouches for what the zone does not say otherwise of. */
  authenticated?: boolean;
  /** Added to mox.conf and domains.conf. */
  static?: string;
  dynamic?: string;
  deliverer?: Partial<RemoteDelivererOptions>;
  retiredPeriod?: number;
  /** Is told of each event at once. */
  onEvent?: (e: OutgoingEvent) => void;
  /** A folder to use again, or for the first time; it is not removed. */
  dir?: string;
}

export class World implements AsyncDisposable {
  readonly dir: string;
  readonly clock = new TestClock();
  readonly config: Config;
  readonly resolver: ScriptedResolver;
  readonly hosts: FakeHost[] = [];
  readonly dsns: DsnEvent[] = [];
  readonly events: OutgoingEvent[] = [];
  queue!: Queue;
  /** Port of all hosts. */
  port = 0;
  readonly #o: WorldOptions;
  #n = 0;

  private constructor(dir: string, config: Config, o: WorldOptions) {
    this.dir = dir;
    this.config = config;
    this.#o = o;
    this.resolver = scriptedResolver(o.zone, { authenticated: o.authenticated });
  }

  static async make(o: WorldOptions = {}): Promise<World> {
    const dir = o.dir ?? await Deno.makeTempDir();
    await Deno.mkdir(join(dir, "config"), { recursive: true });
    await Deno.writeTextFile(
      join(dir, "config", "mox.conf"),
      `DataDir: ../data
LogLevel: error
Hostname: mail.mox.example
Listeners:
	public:
		IPs:
			- 127.0.0.1
		SMTP:
			Enabled: true
			NoSTARTTLS: true
Postmaster:
	Account: ann
	Mailbox: Inbox
${o.static ?? ""}`,
    );
    await Deno.writeTextFile(
      join(dir, "config", "domains.conf"),
      `Domains:
	mox.example: nil
Accounts:
	ann:
		Domain: mox.example
		Destinations:
			me@mox.example: nil
${o.dynamic ?? ""}`,
    );
    const config = await Config.load(join(dir, "config", "mox.conf"));
    return new World(dir, config, o);
  }

  /** Adds a host at an address; all hosts have the same port. */
  async host(address: string, options: FakeOptions = {}): Promise<FakeHost> {
    const host = await fakeHost({ ...options, address, port: this.port });
    this.port = host.port;
    this.hosts.push(host);
    return host;
  }

  async open(): Promise<Queue> {
    await this.queue?.stop();
    const random = () => 0.5;
    this.queue = await Queue.open(join(this.dir, "data"), {
      log: new Log("queue"),
      clock: this.clock,
      deliverer: remoteDeliverer({
        log: new Log("smtpclient"),
        config: this.config,
        resolver: this.resolver,
        tlsPolicy: opportunistic,
        sources: [],
        port: this.port,
        now: this.clock.now,
        random,
        ...this.#o.deliverer,
      }),
      onDsn: (e) => {
        this.dsns.push(e);
        return Promise.resolve();
      },
      onEvent: (e) => {
        this.events.push(e);
        this.#o.onEvent?.(e);
        return Promise.resolve();
      },
      retiredPeriod: () => this.#o.retiredPeriod ?? 0,
    });
    return this.queue;
  }

  /** Queues a message to recipients. */
  async send(
    to: string[],
    more: Partial<NewQueueMessage> & { header?: string; body?: string } = {},
  ) {
    const { header = "", body = "hello\r\n", ...rest } = more;
    const n = ++this.#n;
    const file = join(this.dir, `m${n}`);
    const bytes = new TextEncoder().encode(
      `From: <${mailFrom}>\r\nSubject: message ${n}\r\n${header}\r\n${body}`,
    );
    await Deno.writeFile(file, bytes);
    return await this.queue.add({
      senderAccount: "ann",
      mailFrom,
      recipients: to.map((address) => ({ address })),
      file,
      fileSize: bytes.length,
      prefix: new TextEncoder().encode("Received: by mail.mox.example\r\n"),
      smtputf8: false,
      has8bit: bytes.some((b) => b > 127),
      requireTls: false,
      subject: `message ${n}`,
      ...rest,
    });
  }

  /** Lets time pass until the queue is empty, or so many timers have run. */
  async settle(steps = 1000): Promise<void> {
    await this.queue.idle();
    for (let i = 0; i < steps && this.queue.count() > 0 && this.clock.next(); i++) {
      await this.queue.idle();
    }
  }

  /** How often hosts have taken a message for a recipient. */
  taken(address: string): number {
    return this.hosts.flatMap((h) => h.mails).filter((m) => m.to.includes(address)).length;
  }

  /** The failures that the sender was told of, as "code enhanced". */
  bounced(address: string): string[] {
    return this.dsns.filter((e) => e.action === "failed").flatMap((e) => e.recipients)
      .filter((r) => r.item.address === address)
      .map((r) => `${r.result.code} ${r.result.enhanced}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.queue?.stop();
    for (const h of this.hosts) await h[Symbol.asyncDispose]();
    if (this.#o.dir === undefined) await Deno.remove(this.dir, { recursive: true });
  }
}
