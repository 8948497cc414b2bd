/**
 * How the listeners answer TLS: with certificates from files, or from authorities by ACME.
 *
 * Keys and certificates in files are read before privileges are dropped; getting certificates starts
 * when the ports on which an authority looks for proofs are served.
 *
 * @module
 */
import { join } from "node:path";
import { privateKeyFromPem, withoutPemHeaders } from "../../platform/private_key.ts";
import {
  acmeLibrary,
  Authority,
  CertificateFiles,
  Certificates,
  type NameState,
  type Patience,
  type ProofKind,
  Proofs,
} from "../../acme/mod.ts";
import type { ACME, Config, Listener } from "../../config/mod.ts";
import { DnsError, type Resolver } from "../../dns/mod.ts";
import { Log } from "../../log/mod.ts";
import {
  type KeyCert,
  type Outbound,
  selfSignedCertificate,
  type ServerTls,
} from "../../net/mod.ts";
import { FileCertificates } from "./files.ts";
import { dnsProofs } from "./dns_proofs.ts";
import { certificateNames } from "./names.ts";

interface AcmeListener {
  listener: Listener;
  /** PEM of the keys that certificates for the host's name are made for. */
  hostKey: string | undefined;
}

interface AcmeEntry {
  name: string;
  config: ACME;
  bindingKey: string | undefined;
  listeners: AcmeListener[];
  certificates: Certificates | undefined;
}

/** A certificate of a name, for people to look at. */
export interface CertificateState extends Omit<NameState, "next" | "notBefore"> {
  /** Name of the authority, or of the file. */
  from: string;
  /** Next try or renewal; undefined for files, which others renew. */
  next: number | undefined;
}

export interface StartOptions {
  outbound: Outbound;
  resolver: Resolver | undefined;
  /** One that remembers nothing of before, for records that were just written. */
  freshResolver: () => Resolver;
  /** For tests: how long the authority is waited for. */
  patience?: Patience;
}

/** The certificates of all listeners. */
export class ServerCertificates {
  readonly proofs = new Proofs();
  readonly #config: Config;
  readonly #log = new Log("tls");
  readonly #byListener = new Map<Listener, ServerTls>();
  readonly #acme = new Map<string, AcmeEntry>();
  readonly #files: FileCertificates[] = [];
  #unwatch: (() => void) | undefined;

  private constructor(config: Config) {
    this.#config = config;
  }

  /** Reads keys and certificates from files. @throws file errors, and Error for what can't be used */
  static async open(config: Config): Promise<ServerCertificates> {
    const c = new ServerCertificates(config);
    for (const l of config.static.Listeners.values()) {
      if (!l.TLS) continue;
      if (l.TLS.ACME !== "") await c.#addAcme(l);
      else {
        const files = await FileCertificates.open(config, l, c.#log);
        if (files.size > 0) {
          c.#files.push(files);
          c.#byListener.set(l, { certificateFor: (name) => files.certificateFor(name) });
        }
      }
    }
    return c;
  }

  async #addAcme(listener: Listener): Promise<void> {
    const config = this.#config;
    const name = listener.TLS!.ACME;
    // Now, as the user that the server becomes may not be able to read the program's files.
    await acmeLibrary();
    let entry = this.#acme.get(name);
    if (!entry) {
      const acme = config.static.ACME.get(name)!;
      const file = acme.ExternalAccountBinding?.KeyFile;
      const bindingKey = file && (await Deno.readTextFile(config.configPath(file))).trim();
      entry = { name, config: acme, bindingKey, listeners: [], certificates: undefined };
      this.#acme.set(name, entry);
    }
    const keys = await Promise.all(
      listener.TLS!.HostPrivateKeyFiles.map(async (f) =>
        withoutPemHeaders(await Deno.readTextFile(config.configPath(f)))
      ),
    );
    // One certificate per name: the key of P-256 is the quicker one.
    const hostKey = keys.find((k) => privateKeyFromPem(k).asymmetricKeyType === "ec") ?? keys[0];
    entry.listeners.push({ listener, hostKey });
    const own = this.#hostname(listener);
    /** For mail, until there is a certificate: senders that don't verify use TLS all the same. */
    let standIn: Promise<KeyCert> | undefined;
    const { proofs } = this;
    this.#byListener.set(listener, {
      certificateFor: (asked) => {
        const wanted = asked ?? own;
        const { certificates } = entry;
        const found = certificates?.certificateFor(wanted);
        if (found) return found;
        // A name that isn't ours, from a mail program or server that was told another: the host's.
        if (certificates?.has(wanted) && wanted !== own) return undefined;
        return certificates?.certificateFor(own) ??
          (standIn ??= selfSignedCertificate({ names: [own], days: 90 }));
      },
      proof: {
        get pending() {
          return proofs.pendingTls;
        },
        certificateFor: (asked) => proofs.certificateFor(asked),
      },
    });
  }

  #hostname(listener: Listener): string {
    return (listener.Hostname || this.#config.static.Hostname).toLowerCase();
  }

  /** How the listener answers TLS; undefined if it has no certificate. */
  for(listener: Listener): ServerTls | undefined {
    return this.#byListener.get(listener);
  }

  /** Begins to get certificates; call it when the listeners serve. */
  async start(options: StartOptions): Promise<void> {
    for (const entry of this.#acme.values()) {
      const dir = join(this.#config.dataPath("acme"), entry.name);
      const files = new CertificateFiles(dir);
      const { config, bindingKey } = entry;
      const dns = config.DNS01 && options.resolver
        ? dnsProofs(this.#config, options.outbound, this.#log, options.freshResolver)
        : undefined;
      const authority = new Authority({
        config,
        files,
        proofs: this.proofs,
        outbound: options.outbound,
        bindingKey,
        patience: options.patience,
        dns,
      });
      const proofs: ProofKind[] = dns
        ? ["dns-01", "tls-alpn-01", "http-01"]
        : ["tls-alpn-01", "http-01"];
      entry.certificates = new Certificates({
        authority,
        files,
        renewBefore: config.RenewBefore,
        proofs,
        keyFor: (name) => entry.listeners.find((l) => this.#hostname(l.listener) === name)?.hostKey,
        // A record of its own shows control of a name without an address.
        hindrance: options.resolver &&
          (async (name) =>
            await dns?.covers(name) ? undefined : await notInDns(options.resolver!, name)),
        log: this.#log,
      });
    }
    const update = () => {
      for (const entry of this.#acme.values()) {
        const names = entry.listeners.flatMap((l) => certificateNames(this.#config, l.listener));
        entry.certificates!.setNames([...new Set(names)]).catch((err) => {
          this.#log.error("names of certificates", { err: err as Error });
        });
      }
    };
    if (this.#acme.size === 0) return;
    this.#unwatch = this.#config.onChange(update);
    update();
    await Promise.resolve();
  }

  /** Certificates, and what holds up those that are missing. */
  states(): CertificateState[] {
    const got = [...this.#acme.values()].flatMap((e) =>
      (e.certificates?.states() ?? []).map((s) => ({ ...s, from: e.name }))
    );
    // Listeners may share files.
    const files = new Map(this.#files.flatMap((f) => f.states()).map((s) => [s.file, s]));
    return [
      ...got,
      ...[...files.values()].map((s) => ({
        name: s.names.join(", "),
        from: s.file,
        notAfter: s.notAfter,
        next: undefined,
        failures: 0,
        error: s.error === "" ? undefined : s.error,
      })),
    ];
  }

  /** Tries a name at once. */
  retry(name: string): void {
    for (const e of this.#acme.values()) e.certificates?.retry(name);
  }

  stop(): void {
    this.#unwatch?.();
    for (const e of this.#acme.values()) e.certificates?.stop();
  }
}

/** An authority can't find a name that has no address; asking would count as a failure there. */
async function notInDns(resolver: Resolver, name: string): Promise<string | undefined> {
  for (const family of ["A", "AAAA"] as const) {
    try {
      await resolver.lookup(name, family);
      return undefined;
    } catch (err) {
      if (!(err instanceof DnsError)) throw err;
      if (err.kind !== "nxdomain" && err.kind !== "nodata") return undefined;
    }
  }
  return `${name} has no address in DNS: add its A or AAAA record (or a CNAME to this host)`;
}
