/** Asks the browser for passkeys, in the form that the server checks. @module */
import type * as v from "valibot";
import type { NewPasskey, PasskeyLogin } from "../api/passkeys.ts";
import { t } from "./text.ts";

/** Whether this browser supports passkeys on this page. */
export const hasPasskeys = (): boolean =>
  typeof PublicKeyCredential === "function" && globalThis.isSecureContext;

function toText(buffer: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function toBytes(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (c) => c.charCodeAt(0));
}

/** Lets the user choose a passkey and prove their identity. @throws Error if they don't */
export async function usePasskey(challenge: string): Promise<v.InferInput<typeof PasskeyLogin>> {
  const found = await withReadableErrors(() =>
    navigator.credentials.get({
      publicKey: { challenge: toBytes(challenge), userVerification: "required" },
    })
  );
  const credential = found as PublicKeyCredential;
  const r = credential.response as AuthenticatorAssertionResponse;
  return {
    id: toText(credential.rawId),
    clientData: toText(r.clientDataJSON),
    authenticatorData: toText(r.authenticatorData),
    signature: toText(r.signature),
    userHandle: r.userHandle ? toText(r.userHandle) : "",
  };
}

/** Creates a passkey on a device that the user chooses. @throws Error if they don't */
export async function makePasskey(o: {
  challenge: string;
  userHandle: string;
  userName: string;
  algorithms: readonly number[];
  existing: readonly string[];
}): Promise<v.InferInput<typeof NewPasskey>> {
  const made = await withReadableErrors(() =>
    navigator.credentials.create({
      publicKey: {
        challenge: toBytes(o.challenge),
        rp: { name: location.hostname },
        user: { id: toBytes(o.userHandle), name: o.userName, displayName: o.userName },
        pubKeyCredParams: o.algorithms.map((alg) => ({ type: "public-key" as const, alg })),
        excludeCredentials: o.existing.map((id) => ({
          type: "public-key" as const,
          id: toBytes(id),
        })),
        // Found by the device without a username: nothing has to be typed.
        authenticatorSelection: { residentKey: "required", userVerification: "required" },
      },
    })
  );
  const credential = made as PublicKeyCredential;
  const r = credential.response as AuthenticatorAttestationResponse;
  const key = r.getPublicKey();
  if (key === null) throw new Error(t("The device's kind of key is not known here."));
  return {
    id: toText(credential.rawId),
    clientData: toText(r.clientDataJSON),
    authenticatorData: toText(r.getAuthenticatorData()),
    publicKey: toText(key),
    algorithm: r.getPublicKeyAlgorithm(),
  };
}

/** Explains errors that browsers identify by name only. */
async function withReadableErrors<T>(ask: () => Promise<T | null>): Promise<T> {
  try {
    const r = await ask();
    if (r !== null) return r;
  } catch (err) {
    const name = (err as DOMException).name;
    if (name === "InvalidStateError") {
      throw new Error(t("This device has a passkey for the account already."), { cause: err });
    }
    if (name !== "NotAllowedError" && name !== "AbortError") throw err;
  }
  throw new Error(t("No passkey was chosen."));
}
