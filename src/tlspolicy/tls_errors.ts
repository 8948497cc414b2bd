/** TLS errors of the runtime, as result types of reports (RFC 8460 §4.3). @module */
import type { TlsResultType } from "./types.ts";

const byCode: Record<string, TlsResultType> = {
  CERT_HAS_EXPIRED: "certificate-expired",
  CERT_NOT_YET_VALID: "certificate-expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "certificate-host-mismatch",
  DEPTH_ZERO_SELF_SIGNED_CERT: "certificate-not-trusted",
  SELF_SIGNED_CERT_IN_CHAIN: "certificate-not-trusted",
  UNABLE_TO_GET_ISSUER_CERT: "certificate-not-trusted",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "certificate-not-trusted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "certificate-not-trusted",
};

/** The problem with a certificate; undefined for codes of other failures. */
export function certificateFailure(code: string): TlsResultType | undefined {
  return byCode[code];
}

/** The innermost code of an error and its causes, such as "CERT_HAS_EXPIRED"; "" without any. */
export function errorCode(err: unknown): string {
  let code = "";
  for (let depth = 0; err instanceof Error && depth < 6; depth++) {
    const c = (err as Error & { code?: unknown }).code;
    if (typeof c === "string") code = c;
    err = err.cause;
  }
  return code;
}
