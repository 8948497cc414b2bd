/**
 * A node's key: nodes prove their identity to each other with theirs. There is no authority: domains.conf has
 * the hash of each node's public key.
 *
 * @module
 */
import { createHash, sign, verify, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { type KeyCert, selfSignedCertificate } from "../net/mod.ts";
import { writeFileAtomic } from "../platform/files.ts";
import { privateKeyFromPem } from "../platform/private_key.ts";

/** The file in the data folder. */
export const nodeKeyFile = "node.pem";

export interface NodeKey extends KeyCert {
  /** See {@link keyHash}. */
  hash: string;
  /** Its file. */
  path: string;
}

/** SHA-256 of the public key in a certificate (DER or PEM), in base64. @throws Error if it is no certificate */
export function keyHash(certificate: Uint8Array | string): string {
  const spki = new X509Certificate(certificate).publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(Uint8Array.from(spki)).digest("base64");
}

/**
 * Reads the key of the node that has a data folder, or makes one; it is on disk when it resolves.
 * @param file its name in the data folder; a standby has one of its own
 * @throws Error if the file has something else in it: the others would not know a new key
 */
export async function openNodeKey(dataDir: string, file = nodeKeyFile): Promise<NodeKey> {
  const path = join(dataDir, file);
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (err) {
    if (!(err instanceof Deno.errors.NotFound)) throw err;
    const made = await selfSignedCertificate({ names: ["node"], days: 100 * 365 });
    text = made.key + made.cert;
    await writeFileAtomic(path, new TextEncoder().encode(text), 0o600);
  }
  const at = text.indexOf("-----BEGIN CERTIFICATE-----");
  const [key, cert] = [text.slice(0, Math.max(0, at)), text.slice(Math.max(0, at))];
  try {
    privateKeyFromPem(key);
    return { key, cert, hash: keyHash(cert), path };
  } catch (err) {
    throw new Error(
      `${path}: a private key and its certificate are expected; remove it to have new ones made, whose hash ` +
        `then belongs into domains.conf`,
      { cause: err },
    );
  }
}

/** Signs with the node's key; base64. */
export function signAsNode(key: NodeKey, text: string): string {
  return sign("sha256", new TextEncoder().encode(text), privateKeyFromPem(key.key))
    .toString("base64");
}

/** Whether a text was signed by the key of a certificate (PEM) whose hash is that one. */
export function signedByNode(
  hash: string,
  certificate: string,
  text: string,
  signature: string,
): boolean {
  try {
    if (keyHash(certificate) !== hash) return false;
    const { publicKey } = new X509Certificate(certificate);
    const bytes = Uint8Array.fromBase64(signature);
    return verify("sha256", new TextEncoder().encode(text), publicKey, bytes);
  } catch {
    return false;
  }
}
