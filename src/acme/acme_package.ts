/** The ACME library, loaded when the first certificate is got. @module */
export * from "acme-client";
