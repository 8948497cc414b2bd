/**
 * Certificates from authorities by ACME (RFC 8555): orders, proofs of control by http-01, dns-01 and
 * tls-alpn-01 (RFC 8737), renewal. The server decides for which names, answers the proofs on its ports, and
 * asks here for the certificate of each handshake. May import config and the packages below it.
 *
 * @module
 */
export {
  Authority,
  type AuthorityOptions,
  type DnsProofs,
  type Patience,
  type ProofKind,
} from "./authority.ts";
export { CertificateFiles } from "./certificate_files.ts";
export { Certificates, type CertificatesOptions, type NameState } from "./certificates.ts";
export { AcmeError } from "./errors.ts";
export { acmeLibrary } from "./library.ts";
export { httpProofPath, Proofs } from "./proofs.ts";
