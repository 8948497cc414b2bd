/** What of OpenPGP.js encrypting and checking needs, loaded when it is needed. @module */
export { createMessage, encrypt, enums, readKey, readKeys, readSignature, verify } from "openpgp";
