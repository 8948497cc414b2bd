/** The parts of the ACME library that are needed, loaded when the first certificate is obtained. @module */
// By name: a bundler does not know what a CommonJS package would export with "*".
export { axios, Client, crypto } from "acme-client";
