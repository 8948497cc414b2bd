/**
 * TLS of the listeners: with certificates from files, or from authorities by ACME.
 *
 * Keys and certificates in files are read before privileges are dropped; getting certificates starts
 * once the ports on which an authority checks challenges are served.
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
  /** PEM of the keys for certificates of the host's name. */
  hostKey: string | undefined;
}

interface AcmeEntry {
  name: string;
  config: ACME;
  bindingKey: string | undefined;
  listeners: AcmeListener[];
  certificates: Certificates | undefined;
}

/** A certificate of a name, for display. */
export interface CertificateState extends Omit<NameState, "next" | "notBefore"> {
  /** Name of the authority, or of the file. */
  from: string;
  /** Next attempt or renewal; undefined for files, which are renewed elsewhere. */
  next: number | undefined;
}

export interface StartOptions {
  outbound: Outbound;
  resolver: Resolver | undefined;
  /** A resolver without a cache, for records that were just written. */
  freshResolver: () => Resolver;
  /** For tests: how long to wait for the authority. */
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

  /** Reads keys and certificates from files. @throws file errors, and Error for unusable ones */
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
    // Now, as the user that the server becomes may be unable to read the program's files.
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
    // One certificate per name: the P-256 key is faster.
    const hostKey = keys.find((k) => privateKeyFromPem(k).asymmetricKeyType === "ec") ?? keys[0];
    entry.listeners.push({ listener, hostKey });
    const own = this.#hostname(listener);
    /** For mail, until there is a certificate: senders that don't verify can still use TLS. */
    let standIn: Promise<KeyCert> | undefined;
    const { proofs } = this;
    this.#byListener.set(listener, {
      certificateFor: (asked) => {
        const wanted = asked ?? own;
        const { certificates } = entry;
        const found = certificates?.certificateFor(wanted);
        if (found) return found;
        // A client that uses an unknown name gets the host's certificate.
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

  /** TLS of the listener; undefined if it has no certificate. */
  for(listener: Listener): ServerTls | undefined {
    return this.#byListener.get(listener);
  }

  /** Starts to get certificates; call it once the listeners serve. */
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
        // A dedicated record proves control of a name without an address.
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

  /** Certificates, and reasons for missing ones. */
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

  /** Tries a name immediately. */
  retry(name: string): void {
    for (const e of this.#acme.values()) e.certificates?.retry(name);
  }

  stop(): void {
    this.#unwatch?.();
    for (const e of this.#acme.values()) e.certificates?.stop();
  }
}

/** An authority can't reach a name without an address; trying would count as a failure there. */
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
