/** Identifying the server to push services (RFC 8292). @module */

const algorithm = { name: "ECDSA", namedCurve: "P-256" };
/** Seconds that a token is valid; at most a day (RFC 8292 §2). */
const tokenLife = 12 * 3600;

const base64url = (bytes: Uint8Array) =>
  bytes.toBase64({ alphabet: "base64url", omitPadding: true });

/** The server's key. */
export interface VapidKey {
  /** In the form for browsers: base64url of the uncompressed point. */
  public: string;
  /** For storage. */
  jwk: JsonWebKey;
  sign: CryptoKey;
}

/** Reads a stored key. */
export async function readVapidKey(jwk: JsonWebKey): Promise<VapidKey> {
  const sign = await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["sign"]);
  const point = [Uint8Array.of(4)];
  for (const c of [jwk.x!, jwk.y!]) {
    point.push(Uint8Array.fromBase64(c, { alphabet: "base64url" }));
  }
  return { public: base64url(Uint8Array.from(point.flatMap((p) => [...p]))), jwk, sign };
}

/** Makes a key. */
export async function newVapidKey(): Promise<VapidKey> {
  const pair = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  return await readVapidKey(await crypto.subtle.exportKey("jwk", pair.privateKey));
}

/**
 * The Authorization header for a push service. @param contact a mailto: or https: address to contact in case of
 * trouble
 */
export async function vapidHeader(
  key: VapidKey,
  endpoint: URL,
  contact: string,
  now = Date.now(),
): Promise<string> {
  const part = (o: unknown) => base64url(new TextEncoder().encode(JSON.stringify(o)));
  const claims = {
    aud: endpoint.origin,
    exp: Math.floor(now / 1000) + tokenLife,
    sub: contact,
  };
  const text = `${part({ typ: "JWT", alg: "ES256" })}.${part(claims)}`;
  const signature = await crypto.subtle.sign(
    { name: "ECDSA", hash: "SHA-256" },
    key.sign,
    new TextEncoder().encode(text),
  );
  return `vapid t=${text}.${base64url(new Uint8Array(signature))}, k=${key.public}`;
}
