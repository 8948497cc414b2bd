/**
 * One certificate authority (RFC 8555): the account there, and orders for certificates.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Authorization, Client } from "acme-client";
import type { ACME } from "../config/mod.ts";
import { type KeyCert, type Outbound, selfSignedCertificate } from "../net/mod.ts";
import type { CertificateFiles } from "./certificate_files.ts";
import { AcmeError, explain } from "./errors.ts";
import { type AcmeLibrary, acmeLibrary, withWay } from "./library.ts";
import type { Proofs } from "./proofs.ts";

/** How control over a name is shown. */
export type ProofKind = "tls-alpn-01" | "http-01" | "dns-01";

/** Writes the records of dns-01 (RFC 8555 §8.4). */
export interface DnsProofs {
  /** Whether a name can be proved this way: in its own zone, or in one that its record is an alias for. */
  covers(name: string): Promise<boolean>;
  /** Writes a TXT record, and waits until it is seen. @throws Error that explains the failure */
  add(record: string, value: string): Promise<void>;
  remove(record: string, value: string): Promise<void>;
}

/** Times of waiting for the authority, in milliseconds. */
export interface Patience {
  /** Between checks of an order or proof; it rises to `most`. */
  least: number;
  most: number;
  looks: number;
}

const usualPatience: Patience = { least: 2_000, most: 20_000, looks: 15 };

export interface AuthorityOptions {
  config: ACME;
  files: CertificateFiles;
  proofs: Proofs;
  /** The network path to the authority. */
  outbound: Outbound;
  /** The key of the external account binding in base64url, if one is configured. */
  bindingKey?: string;
  patience?: Patience;
  /** Without it dns-01 is not available. */
  dns?: DnsProofs;
}

export class Authority {
  readonly #o: AuthorityOptions;
  #client: Promise<Client> | undefined;

  constructor(options: AuthorityOptions) {
    this.#o = options;
  }

  /** The client with an account, made on first use. */
  #account(): Promise<Client> {
    this.#client ??= this.#open().catch((err) => {
      this.#client = undefined;
      throw err;
    });
    return this.#client;
  }

  async #open(): Promise<Client> {
    const { config, files, bindingKey } = this.#o;
    const patience = this.#o.patience ?? usualPatience;
    const acme = await acmeLibrary();
    const accountKey = await files.accountKey(async () =>
      (await acme.crypto.createPrivateEcdsaKey()).toString()
    );
    const binding = config.ExternalAccountBinding;
    const client = new acme.Client({
      directoryUrl: config.DirectoryURL,
      accountKey,
      accountUrl: await files.accountUrl(),
      externalAccountBinding: binding && bindingKey
        ? { kid: binding.KeyID, hmacKey: bindingKey }
        : undefined,
      backoffAttempts: patience.looks,
      backoffMin: patience.least,
      backoffMax: patience.most,
    });
    await client.createAccount({
      termsOfServiceAgreed: true,
      contact: [`mailto:${config.ContactEmail}`],
    });
    await files.setAccountUrl(client.getAccountUrl());
    return client;
  }

  /**
   * Gets a certificate for a name.
   * @param key PEM of the private key it is for; a new one of P-256 if undefined
   * @throws AcmeError
   */
  async obtain(name: string, key: string | undefined, proof: ProofKind): Promise<KeyCert> {
    const acme = await acmeLibrary();
    return await withWay(this.#o.outbound, () => this.#obtain(acme, name, key, proof));
  }

  async #obtain(
    acme: AcmeLibrary,
    name: string,
    key: string | undefined,
    proof: ProofKind,
  ): Promise<KeyCert> {
    try {
      const client = await this.#account();
      const own = key ?? (await acme.crypto.createPrivateEcdsaKey()).toString();
      const [, csr] = await acme.crypto.createCsr({ commonName: name, altNames: [name] }, own);
      const order = await client.createOrder({ identifiers: [{ type: "dns", value: name }] });
      for (const authorization of await client.getAuthorizations(order)) {
        if (authorization.status !== "valid") await this.#prove(client, authorization, proof);
      }
      const done = await client.finalizeOrder(order, csr);
      return { key: own, cert: await client.getCertificate(done) };
    } catch (err) {
      throw explain(err);
    }
  }

  async #prove(client: Client, authorization: Authorization, kind: ProofKind): Promise<void> {
    const { proofs } = this.#o;
    const name = authorization.identifier.value.toLowerCase();
    // The library's types don't know tls-alpn-01.
    const offered = (type: string) => authorization.challenges.find((c) => c.type === type);
    const dns = await this.#o.dns?.covers(name) ? this.#o.dns : undefined;
    const challenge = (kind === "dns-01" && !dns ? undefined : offered(kind)) ??
      offered("http-01") ?? offered("tls-alpn-01") ?? (dns && offered("dns-01"));
    if (!challenge) {
      throw new AcmeError(
        `${name}: the authority offers ` +
          `${authorization.challenges.map((c) => c.type).join(", ") || "no proofs"}, ` +
          `and only ${dns ? "dns-01, " : ""}http-01 and tls-alpn-01 can be answered`,
      );
    }
    const text = await client.getChallengeKeyAuthorization(challenge);
    if (challenge.type === "dns-01") {
      const record = `_acme-challenge.${name.replace(/^\*\./, "")}`;
      try {
        await dns!.add(record, text);
        await client.completeChallenge(challenge);
        await client.waitForValidStatus(challenge);
      } finally {
        await dns!.remove(record, text);
      }
      return;
    }
    if (challenge.type === "http-01") {
      proofs.addHttp(challenge.token, text);
    } else {
      const acmeIdentifier = Uint8Array.from(createHash("sha256").update(text).digest());
      proofs.addTls(name, await selfSignedCertificate({ names: [name], acmeIdentifier }));
    }
    try {
      await client.completeChallenge(challenge);
      await client.waitForValidStatus(challenge);
    } finally {
      if (challenge.type === "http-01") proofs.removeHttp(challenge.token);
      else proofs.removeTls(name);
    }
  }
}
