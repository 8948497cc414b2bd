/** Certificates from files (KeyCerts of a listener): chosen by name, read again when the files change. @module */
import { X509Certificate } from "node:crypto";
import { privateKeyFromPem, withoutPemHeaders } from "../../platform/private_key.ts";
import type { Config, Listener } from "../../config/mod.ts";
import type { Log } from "../../log/mod.ts";
import type { KeyCert } from "../../net/mod.ts";

/** Milliseconds between checks of the files' modification times. */
const lookInterval = 10_000;

interface Loaded {
  keyFile: string;
  certFile: string;
  stamp: string;
  pair: KeyCert;
  certificate: X509Certificate;
  /** An unusable change was already logged. */
  complained: string;
}

/** The certificates of one listener. */
export class FileCertificates {
  readonly #log: Log;
  readonly #files: Loaded[];
  #looked = 0;
  #looking: Promise<void> | undefined;

  private constructor(log: Log, files: Loaded[]) {
    this.#log = log;
    this.#files = files;
  }

  /** Reads all of them; they must exist. @throws file errors, and Error if one can't be used */
  static async open(config: Config, listener: Listener, log: Log): Promise<FileCertificates> {
    const files: Loaded[] = [];
    for (const f of listener.TLS?.KeyCerts ?? []) {
      files.push(await load(config.configPath(f.KeyFile), config.configPath(f.CertFile)));
    }
    const c = new FileCertificates(log, files);
    c.#looked = Date.now();
    return c;
  }

  get size(): number {
    return this.#files.length;
  }

  /** Their names and expiry. */
  states(): { names: string[]; file: string; notAfter: number; error: string }[] {
    return this.#files.map((loaded) => ({
      names: (loaded.certificate.subjectAltName ?? loaded.certificate.subject ?? "").split(/, |\n/)
        .map((n) => n.replace(/^(?:DNS:|IP Address:|CN=)/, "")),
      file: loaded.certFile,
      notAfter: Date.parse(loaded.certificate.validTo),
      error: loaded.complained,
    }));
  }

  /** The certificate for a name; the first one if none matches. */
  async certificateFor(name: string | undefined): Promise<KeyCert | undefined> {
    if (Date.now() - this.#looked > lookInterval) {
      await (this.#looking ??= this.#look().finally(() => this.#looking = undefined));
    }
    const fits = name === undefined
      ? undefined
      : this.#files.find((f) => f.certificate.checkHost(name) !== undefined);
    return (fits ?? this.#files[0])?.pair;
  }

  async #look(): Promise<void> {
    this.#looked = Date.now();
    for (const [i, f] of this.#files.entries()) {
      try {
        if (await stampOf(f.keyFile, f.certFile) === f.stamp) continue;
        this.#files[i] = await load(f.keyFile, f.certFile);
        this.#log.info("certificate was read again", {
          file: f.certFile,
          until: new Date(this.#files[i].certificate.validTo).toISOString(),
        });
      } catch (err) {
        // Only half of a pair may have been written; and after the start the files may be unreadable.
        const text = (err as Error).message;
        if (f.complained === text) continue;
        f.complained = text;
        this.#log.error(
          "changed certificate can't be used, the one before stays: mend it, or restart the server " +
            "if only root may read it",
          { file: f.certFile, err: err as Error },
        );
      }
    }
  }
}

async function stampOf(...paths: string[]): Promise<string> {
  const stats = await Promise.all(paths.map((p) => Deno.stat(p)));
  return stats.map((s) => `${s.mtime?.getTime()} ${s.size} ${s.ino}`).join(" ");
}

async function load(keyFile: string, certFile: string): Promise<Loaded> {
  const stamp = await stampOf(keyFile, certFile);
  const pair = {
    key: withoutPemHeaders(await Deno.readTextFile(keyFile)),
    cert: await Deno.readTextFile(certFile),
  };
  const certificate = new X509Certificate(pair.cert);
  if (!certificate.checkPrivateKey(privateKeyFromPem(pair.key))) {
    throw new Error(`the key in ${keyFile} is not that of the certificate in ${certFile}`);
  }
  return { keyFile, certFile, stamp, pair, certificate, complained: "" };
}
