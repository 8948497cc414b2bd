/** What of the ACME library is needed, loaded when the first certificate is got. @module */
// By name: a bundle does not know what a CommonJS package would bring by "*".
export { axios, Client, crypto } from "acme-client";
