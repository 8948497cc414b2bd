/** TLS keys as credentials of a session. @module */

const prefix = "key ";

/** Name of a TLS key as a credential. */
export function keyCredential(fingerprint: string): string {
  return prefix + fingerprint;
}

/** The key's fingerprint; undefined if the credential isn't a key. */
export function fingerprintOf(credential: string): string | undefined {
  return credential.startsWith(prefix) ? credential.slice(prefix.length) : undefined;
}
