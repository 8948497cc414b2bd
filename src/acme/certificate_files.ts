/**
 * Certificates and account keys on disk: `acme/<authority>/` in the data folder, readable by the server's
 * user alone.
 *
 * @module
 */
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import type { KeyCert } from "../net/mod.ts";
import { ensureDir, writeFileAtomic } from "../platform/files.ts";

/** A certificate with its contents. */
export interface StoredCertificate {
  pair: KeyCert;
  /** Milliseconds since the epoch. */
  notBefore: number;
  notAfter: number;
}

/** Reads what a PEM certificate says. @throws Error if it can't be read, or isn't for the name. */
export function describeCertificate(pair: KeyCert, name: string): StoredCertificate {
  const certificate = new X509Certificate(pair.cert);
  if (certificate.checkHost(name) === undefined) {
    throw new Error(`the certificate is for ${certificate.subjectAltName ?? "no name"}`);
  }
  return {
    pair,
    notBefore: Date.parse(certificate.validFrom),
    notAfter: Date.parse(certificate.validTo),
  };
}

/** The folder of one authority. */
export class CertificateFiles {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** The PEM key of the account at the authority; made if there is none. */
  async accountKey(make: () => Promise<string>): Promise<string> {
    const path = join(this.#dir, "account.key.pem");
    const there = await readText(path);
    if (there !== undefined) return there;
    const key = await make();
    await this.#write(path, key);
    return key;
  }

  /** URL of the account, once it is known. */
  accountUrl(): Promise<string | undefined> {
    return readText(join(this.#dir, "account.url"));
  }

  async setAccountUrl(url: string): Promise<void> {
    await this.#write(join(this.#dir, "account.url"), url);
  }

  #path(name: string): string {
    return join(this.#dir, "certificates", `${name}.pem`);
  }

  /** A certificate that was obtained before. @throws Error if the file is damaged */
  async read(name: string): Promise<StoredCertificate | undefined> {
    const text = await readText(this.#path(name));
    if (text === undefined) return undefined;
    const at = text.indexOf("-----BEGIN CERTIFICATE-----");
    if (at < 0) throw new Error("no certificate is in the file");
    return describeCertificate({ key: text.slice(0, at), cert: text.slice(at) }, name);
  }

  /** Keeps a certificate, key first, in one file: so they still match after any crash. */
  async write(name: string, pair: KeyCert): Promise<void> {
    await this.#write(this.#path(name), `${pair.key.trim()}\n${pair.cert.trim()}\n`);
  }

  async #write(path: string, text: string): Promise<void> {
    await ensureDir(join(path, ".."), 0o700);
    await writeFileAtomic(path, new TextEncoder().encode(text), 0o600);
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) return undefined;
    throw err;
  }
}
