/**
 * Watches how the outside sees this server: reverse names, block lists, DANE, and the records of each domain.
 * The postmaster gets a message when something breaks, and one when it works again; a result counts once seen twice in a
 * row, as name servers are unreachable now and then.
 *
 * @module
 */
import * as v from "valibot";
import { checkDomainDns, dnsblStatus } from "../../admin/mod.ts";
import type { Resolver } from "../../dns/mod.ts";
import { Log } from "../../log/mod.ts";
import type { Outbound } from "../../net/mod.ts";
import { writeFileAtomic } from "../../platform/files.ts";
import { policyText } from "../../tlspolicy/sts_https.ts";
import { deliverToPostmaster, type PostmasterServices } from "../postmaster.ts";

const log = new Log("dnswatch");
/** Milliseconds between checks, after one with something new, and until the first. */
const interval = 3 * 3_600_000;
const soon = 10 * 60_000;
const first = 2 * 60_000;
/** Domains that are checked. */
const maxDomains = 200;

/** Subjects of the check that concern the whole server. */
const ofServer: ReadonlySet<string> = new Set(["host", "iprev", "dane"]);
/** Subjects that may fail without harm to mail, or are covered by the block lists below. */
const left: ReadonlySet<string> = new Set(["dnssec", "clients", "services", "dnsbl"]);

const State = v.record(
  v.string(),
  v.object({
    /** Results of the last checks, and what the postmaster was told. */
    bad: v.boolean(),
    announced: v.boolean(),
    text: v.string(),
    since: v.number(),
  }),
);
type State = v.InferOutput<typeof State>;

export interface DnsWatchOptions extends PostmasterServices {
  resolver: Resolver;
  outbound: Outbound;
  now?: () => number;
}

/** Findings by subject, "" if all is well. */
export async function lookAtDns(options: DnsWatchOptions): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const { config, resolver, outbound } = options;
  let whole = false;
  for (const [name, d] of [...config.dynamic.Domains].slice(0, maxDomains)) {
    if (d.Disabled) continue;
    const check = await checkDomainDns(config, name, {
      resolver,
      fetchPolicy: (domain) => policyText(outbound, domain),
    });
    for (const p of check.parts) {
      if (left.has(p.name) || p.state === "skipped") continue;
      const server = ofServer.has(p.name);
      if (server && whole) continue;
      const errors = p.findings.filter((f) => f.level === "error").map((f) => f.message);
      found.set(
        server ? `${p.title} of this server` : `${p.title} of ${name}`,
        [...errors, ...errors.length > 0 ? p.fix : []].join("\n"),
      );
    }
    whole = true;
  }
  for (const b of await dnsblStatus(config, resolver)) {
    // A list that doesn't answer means nothing.
    if (b.status === "temperror") continue;
    found.set(
      `Block list ${b.zone}, ${b.ip}`,
      b.status === "fail" ? `${b.ip} is listed by ${b.zone}: ${b.text}` : "",
    );
  }
  return found;
}

/** Compares with the checks before; returns what to tell the postmaster now. */
export function compare(
  state: State,
  found: ReadonlyMap<string, string>,
  now: number,
): { broken: [string, string][]; well: string[]; unsure: boolean } {
  const broken: [string, string][] = [];
  const well: string[] = [];
  let unsure = false;
  for (const [subject, text] of found) {
    const bad = text !== "";
    const before = state[subject] ?? { bad: false, announced: false, text: "", since: now };
    if (before.bad !== bad) {
      state[subject] = { ...before, bad, text, since: now };
      unsure = true;
      continue;
    }
    state[subject] = { ...before, text };
    if (bad === before.announced) continue;
    state[subject].announced = bad;
    if (bad) broken.push([subject, text]);
    else well.push(subject);
  }
  // Subjects that are no longer checked are forgotten.
  for (const subject of Object.keys(state)) if (!found.has(subject)) delete state[subject];
  return { broken, well, unsure };
}

/** Watches until stopped. */
export class DnsWatch {
  readonly #o: DnsWatchOptions;
  readonly #file: string;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ended = false;
  #running: Promise<unknown> | undefined;

  constructor(options: DnsWatchOptions) {
    this.#o = options;
    this.#file = options.config.dataPath("dnswatch.json");
  }

  start(): void {
    this.#sleep(first);
  }

  #sleep(ms: number): void {
    if (this.#ended) return;
    this.#timer = setTimeout(() => {
      this.#running = this.look()
        .then((unsure) => this.#sleep(unsure ? soon : interval))
        .catch((err) => {
          log.error("watching the DNS", { err: err as Error });
          this.#sleep(interval);
        });
    }, ms);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  /** Checks once. True if something differs from before, so that the next check comes soon. */
  async look(): Promise<boolean> {
    if (!this.#o.config.static.WatchDNS) return false;
    const found = await lookAtDns(this.#o);
    const state = await this.#read();
    const { broken, well, unsure } = compare(state, found, this.#o.now?.() ?? Date.now());
    const all = broken.length + well.length;
    if (all > 0) {
      const subject = broken.length > 0
        ? `${broken[0][0]}: broken${all > 1 ? `, and ${all - 1} more` : ""}`
        : `${well[0]}: well again${all > 1 ? `, and ${all - 1} more` : ""}`;
      await deliverToPostmaster(this.#o, subject, [
        ...broken.flatMap((
          [what, text],
        ) => [`${what} is broken:`, ...text.split("\n").map((l) => `    ${l}`), ""]),
        ...well.map((what) => `${what} is well again.`),
        "",
        'Seen in two looks, one after the other. "mox config dnscheck" looks now.',
      ]);
      log.warn("told the postmaster", {
        broken: broken.map(([b]) => b).join("; "),
        well: well.join("; "),
      });
    }
    // Only once the message is in the mailbox: if that fails, it is reported the next time.
    await writeFileAtomic(
      this.#file,
      new TextEncoder().encode(`${JSON.stringify(state, null, 2)}\n`),
    );
    return unsure;
  }

  async #read(): Promise<State> {
    try {
      return v.parse(State, JSON.parse(await Deno.readTextFile(this.#file)));
    } catch (err) {
      if (!(err instanceof Deno.errors.NotFound)) {
        log.warn("what was watched before can't be read, beginning anew", { file: this.#file });
      }
      return {};
    }
  }

  async end(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#timer);
    await this.#running;
  }
}
