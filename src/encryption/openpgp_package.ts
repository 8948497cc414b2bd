/** The parts of OpenPGP.js needed for encrypting and checking, loaded when needed. @module */
export { createMessage, encrypt, enums, readKey, readKeys, readSignature, verify } from "openpgp";
