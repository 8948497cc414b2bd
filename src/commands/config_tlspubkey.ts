/** `mox config tlspubkey`: keys of TLS client certificates for login. @module */
import { adminCommand } from "./admin_call.ts";
import type { Command } from "./command.ts";
import { UsageError } from "./command.ts";
import { readStdin } from "../platform/terminal.ts";

const fingerprintHelp =
  "The fingerprint is the SHA-256 of the public key (SubjectPublicKeyInfo), in base64url.";

export const configTlsKeyCommands: readonly Command[] = [
  adminCommand({
    name: "config tlspubkey add",
    usage: "address [name] < certificate.pem",
    summary: "Let a TLS client certificate log in",
    help: `
Reads a certificate (PEM) and lets whoever has its private key log in as the address, without a password: with
SASL EXTERNAL, over IMAP and submission. It may be self-signed, and what counts is the key: a renewed
certificate with the same key goes on working. ${fingerprintHelp}`,
    min: 1,
    max: 2,
    async toArgs([address, name]) {
      const certificate = await readStdin();
      if (!certificate.includes("-----BEGIN CERTIFICATE-----")) {
        throw new UsageError("a certificate in PEM form is expected on standard input");
      }
      return { address, name: name ?? "", certificate };
    },
  }),
  adminCommand({
    name: "config tlspubkey list",
    usage: "[address]",
    summary: "List the TLS client keys that log in",
    help: `Prints fingerprint, kind, address, day and name of each. ${fingerprintHelp}`,
    min: 0,
    max: 1,
    toArgs: ([address]) => ({ address: address ?? "" }),
  }),
  adminCommand({
    name: "config tlspubkey get",
    usage: "fingerprint",
    summary: "Print the certificate of a TLS client key",
    help: "Prints the certificate that was given for a key, in PEM form.",
    min: 1,
    toArgs: ([fingerprint]) => ({ fingerprint }),
  }),
  adminCommand({
    name: "config tlspubkey rm",
    usage: "fingerprint",
    summary: "Let a TLS client key no longer log in",
    help: "Removes a key. Connections that are logged in with it go on until they end.",
    min: 1,
    toArgs: ([fingerprint]) => ({ fingerprint }),
  }),
];
