/**
 * Proofs of control that an authority is about to check: over HTTP (RFC 8555 §8.3) and in a TLS handshake
 * (RFC 8737).
 *
 * @module
 */
import type { KeyCert } from "../net/mod.ts";

/** Path below which http-01 proofs are answered, on port 80. */
export const httpProofPath = "/.well-known/acme-challenge/";

/** The proofs of all authorities and names under way. */
export class Proofs {
  readonly #tokens = new Map<string, string>();
  readonly #certificates = new Map<string, KeyCert>();

  addHttp(token: string, keyAuthorization: string): void {
    this.#tokens.set(token, keyAuthorization);
  }

  removeHttp(token: string): void {
    this.#tokens.delete(token);
  }

  /** @param name in lower case */
  addTls(name: string, certificate: KeyCert): void {
    this.#certificates.set(name, certificate);
  }

  removeTls(name: string): void {
    this.#certificates.delete(name);
  }

  /** Answers a request below {@link httpProofPath}. */
  answerHttp(path: string): Response {
    const text = path.startsWith(httpProofPath)
      ? this.#tokens.get(path.slice(httpProofPath.length))
      : undefined;
    return text === undefined
      ? new Response("no such challenge\n", { status: 404 })
      : new Response(text, { headers: { "content-type": "application/octet-stream" } });
  }

  /** True while a handshake may come from an authority. */
  get pendingTls(): boolean {
    return this.#certificates.size > 0;
  }

  /** The certificate for a handshake with the protocol "acme-tls/1". */
  certificateFor(name: string): KeyCert | undefined {
    return this.#certificates.get(name.toLowerCase());
  }
}
