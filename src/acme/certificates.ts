/**
 * The certificates of a server's names: obtained when missing, renewed in time, one after the other. A name
 * whose certificate can't be obtained does not block the others; it is tried less and less often.
 *
 * @module
 */
import type { Log } from "../log/mod.ts";
import { counter, gauge } from "../metrics/mod.ts";
import type { KeyCert } from "../net/mod.ts";
import type { Authority, ProofKind } from "./authority.ts";
import {
  type CertificateFiles,
  describeCertificate,
  type StoredCertificate,
} from "./certificate_files.ts";
import { AcmeError, explain } from "./errors.ts";
import { renewAt, waitAfter } from "./schedule.ts";

const attempts = counter(
  "mox_acme_attempts_total",
  "Tries to get a certificate, by how they ended.",
  { result: ["ok", "error"] },
);
const expiry = gauge(
  "mox_acme_certificate_expiry_seconds",
  "End of a name's certificate, in seconds since the epoch.",
  ["name"],
);

/** What is known about a name's certificate. */
export interface NameState {
  name: string;
  notBefore: number | undefined;
  notAfter: number | undefined;
  /** Milliseconds since the epoch; the next try or renewal. */
  next: number;
  failures: number;
  /** Why the last try failed. */
  error: string | undefined;
}

interface Name extends NameState {
  certificate: StoredCertificate | undefined;
}

export interface CertificatesOptions {
  authority: Authority;
  files: CertificateFiles;
  /** Milliseconds before the end at which certificates are renewed. */
  renewBefore: number;
  /** Proofs that can be offered to the authority, the preferred one first. At least one. */
  proofs: readonly ProofKind[];
  /** PEM of the key that the certificate of a name must be for; undefined for a new key each time. */
  keyFor: (name: string) => string | undefined;
  /** Explains why there is no point in asking the authority about a name, such as that it isn't in the DNS. */
  hindrance?: (name: string) => Promise<string | undefined>;
  log: Log;
  now?: () => number;
}

/** Milliseconds between checks of the clock: timers of a machine that was asleep fire late. */
const longestSleep = 3_600_000;

export class Certificates {
  readonly #o: CertificatesOptions;
  readonly #names = new Map<string, Name>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #working: Promise<void> | undefined;
  #stopped = false;

  constructor(options: CertificatesOptions) {
    this.#o = options;
  }

  get #now(): number {
    return this.#o.now?.() ?? Date.now();
  }

  /** The names to have certificates for from now on, in the order in which they are obtained. */
  async setNames(names: readonly string[]): Promise<void> {
    const wanted = new Set(names.map((n) => n.toLowerCase()));
    for (const known of [...this.#names.keys()]) if (!wanted.has(known)) this.#names.delete(known);
    for (const name of wanted) {
      if (!this.#names.has(name)) this.#names.set(name, await this.#load(name));
    }
    this.#schedule();
  }

  async #load(name: string): Promise<Name> {
    const n: Name = {
      name,
      certificate: undefined,
      notBefore: undefined,
      notAfter: undefined,
      next: this.#now,
      failures: 0,
      error: undefined,
    };
    try {
      const stored = await this.#o.files.read(name);
      if (stored) this.#use(n, stored);
      const key = this.#o.keyFor(name);
      // The configuration names another key: a certificate for that one is needed, for DANE.
      if (stored && key !== undefined && stored.pair.key.trim() !== key.trim()) n.next = this.#now;
    } catch (err) {
      this.#o.log.error("certificate kept on disk can't be used, getting another", {
        name,
        err: err as Error,
      });
    }
    return n;
  }

  #use(name: Name, certificate: StoredCertificate): void {
    name.certificate = certificate;
    name.notBefore = certificate.notBefore;
    name.notAfter = certificate.notAfter;
    name.next = renewAt(
      certificate.notBefore,
      certificate.notAfter,
      this.#o.renewBefore,
      Math.random(),
    );
    expiry.set({ name: name.name }, Math.floor(certificate.notAfter / 1000));
  }

  /** The certificate of a name; undefined if there is none, or it has expired. */
  certificateFor(name: string): KeyCert | undefined {
    const c = this.#names.get(name)?.certificate;
    return c && c.notAfter > this.#now ? c.pair : undefined;
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** What is known about all names. */
  states(): NameState[] {
    return [...this.#names.values()].map(({ certificate: _, ...state }) => state);
  }

  #schedule(): void {
    if (this.#stopped || this.#working) return;
    clearTimeout(this.#timer);
    const next = Math.min(...[...this.#names.values()].map((n) => n.next));
    if (next === Infinity) return;
    const wait = Math.min(longestSleep, Math.max(0, next - this.#now));
    this.#timer = setTimeout(() => this.#wake(), wait);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  #wake(): void {
    this.#working = this.#work().catch((err) => {
      this.#o.log.error("getting certificates", { err: err as Error });
    }).finally(() => {
      this.#working = undefined;
      this.#schedule();
    });
  }

  async #work(): Promise<void> {
    for (const n of [...this.#names.values()]) {
      if (this.#stopped) return;
      if (n.next <= this.#now && this.#names.get(n.name) === n) await this.#try(n);
    }
  }

  async #try(name: Name): Promise<void> {
    const { log, files, authority, proofs, keyFor, hindrance } = this.#o;
    // After a failure the other proof is tried: its port may be blocked.
    const proof = proofs[name.failures % proofs.length];
    try {
      const why = await hindrance?.(name.name);
      if (why !== undefined) throw new AcmeError(why);
      log.info("getting certificate", { name: name.name, proof });
      const pair = await authority.obtain(name.name, keyFor(name.name), proof);
      const c = describeCertificate(pair, name.name);
      await files.write(name.name, pair);
      name.failures = 0;
      name.error = undefined;
      this.#use(name, c);
      attempts.inc({ result: "ok" });
      log.info("certificate is here", {
        name: name.name,
        until: new Date(c.notAfter).toISOString(),
      });
    } catch (err) {
      const e = explain(err);
      name.failures++;
      name.error = e.message;
      name.next = this.#now + waitAfter(name.failures, e.retryAfter, Math.random());
      attempts.inc({ result: "error" });
      log.error("no certificate", {
        name: name.name,
        proof,
        err: e,
        next: new Date(name.next).toISOString(),
        ends: name.notAfter === undefined ? "" : new Date(name.notAfter).toISOString(),
      });
    }
  }

  /** Tries a name immediately, without waiting for its time. */
  retry(name: string): void {
    const n = this.#names.get(name.toLowerCase());
    if (!n) return;
    n.next = 0;
    this.#schedule();
  }

  /** Resolves when nothing is in progress. */
  async idle(): Promise<void> {
    while (this.#working) await this.#working;
  }

  /**
   * Makes no further attempts. One in progress is not waited for: its certificate is obtained again at the next
   * start.
   */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }
}
