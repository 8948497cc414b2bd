/**
 * The certificate authorities for other servers: the system's, those of mox.conf, or both.
 *
 * With 140 authorities the runtime's option `ca` takes 25 ms of the event loop per connection, and without it
 * the runtime needs a permission that can't be granted narrowly. Replacing its default list is quick: it is set
 * right before a handshake begins, unless it is already the right one.
 *
 * @module
 */
import { X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import * as tls from "node:tls";
import { Log } from "../../log/mod.ts";
import {
  openSystemAuthorities,
  readSystemAuthorities,
  systemAuthoritiesStamp,
} from "../../platform/authorities.ts";

/** Milliseconds between checks of the files' times. */
const lookInterval = 10_000;

export interface AuthoritiesOptions {
  /** Trust the system's authorities. */
  system: boolean;
  /** Further PEM files. Read now, and again when they change. */
  files?: readonly string[];
  log?: Log;
}

/** The runtime's types lack it. */
const { setDefaultCACertificates: setDefaults } = tls as unknown as {
  setDefaultCACertificates(pem: string[]): void;
};

/** The runtime's current list. */
let inForce: readonly string[] | undefined;

/** Trusted certificate authorities. */
export class Authorities {
  readonly #system: boolean;
  readonly #files: readonly string[];
  readonly #log: Log;
  #own: readonly string[];
  #list: readonly string[] | undefined;
  #stamp = "";
  #looked = 0;
  #complained = "";

  private constructor(options: AuthoritiesOptions, own: readonly string[]) {
    this.#system = options.system;
    this.#files = options.files ?? [];
    this.#log = options.log ?? new Log("tls");
    this.#own = own;
  }

  /** @throws Error if a file can't be read, or has no certificates */
  static open(options: AuthoritiesOptions): Authorities {
    if (options.system) openSystemAuthorities();
    return new Authorities(options, (options.files ?? []).flatMap(readFile));
  }

  /** Only these, in PEM. @throws Error if one is not a certificate */
  static of(...pem: string[]): Authorities {
    return new Authorities({ system: false }, pem.flatMap((p) => certificates(p, "the text")));
  }

  /** PEM, one certificate each; changed files are read again. */
  list(): readonly string[] {
    const now = Date.now();
    if (this.#list !== undefined && Math.abs(now - this.#looked) < lookInterval) return this.#list;
    this.#looked = now;
    const stamp = this.#stamps();
    if (this.#list !== undefined && stamp === this.#stamp) return this.#list;
    const again = this.#list !== undefined;
    this.#stamp = stamp;
    if (again) this.#readAgain();
    const system = this.#system ? systemCertificates(this.#log) : [];
    return this.#list = [...new Set([...this.#own, ...system])];
  }

  /** Makes the runtime use them to verify handshakes that begin now, before the next `await`. */
  apply(): void {
    const list = this.list();
    if (inForce === list) return;
    setDefaults([...list]);
    inForce = list;
  }

  #stamps(): string {
    const files = this.#files.map((f) => {
      const info = statSync(f, { throwIfNoEntry: false });
      return info ? `${f} ${info.mtimeMs} ${info.size} ${info.ino}` : f;
    });
    return [this.#system ? systemAuthoritiesStamp() : "", ...files].join("\n");
  }

  #readAgain(): void {
    try {
      this.#own = this.#files.length > 0 ? this.#files.flatMap(readFile) : this.#own;
      this.#complained = "";
    } catch (err) {
      // Half written, or readable only by root, which the server no longer is.
      const { message } = err as Error;
      if (this.#complained !== message) {
        this.#log.error("changed certificate authorities can't be used, those before stay", {
          err: err as Error,
        });
      }
      this.#complained = message;
    }
  }
}

/** The system's authorities, for callers without a configuration. */
export const systemAuthorities: Authorities = Authorities.open({ system: true });

function readFile(path: string): string[] {
  return certificates(readFileSync(path, "utf8"), path);
}

/** The certificates of a PEM text. @throws Error if one can't be read, or there is none */
function certificates(text: string, where: string): string[] {
  const found = blocks(text);
  if (found.length === 0) throw new Error(`${where} has no certificate in PEM`);
  for (const [i, pem] of found.entries()) {
    try {
      new X509Certificate(pem);
    } catch (cause) {
      throw new Error(`${where}: certificate ${i + 1} can't be read`, { cause });
    }
  }
  return found;
}

function blocks(text: string): string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? [];
}

/** Reads the system's certificates: an unreadable one doesn't affect the others. */
function systemCertificates(log: Log): string[] {
  const { from, pem } = readSystemAuthorities();
  const found = blocks(pem);
  if (found.length === 0) {
    log.error(
      "this system has no certificate authorities: no server's certificate can be verified; install them " +
        '(often the package "ca-certificates"), or list files in TLS, CA, CertFiles of mox.conf',
    );
  } else log.debug("certificate authorities of the system", { from, count: found.length });
  return found;
}
