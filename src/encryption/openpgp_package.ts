/** What of OpenPGP.js encrypting needs, loaded when an account has a key. @module */
export { createMessage, encrypt, enums, readKeys } from "openpgp";
