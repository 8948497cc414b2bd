/** The IMAP client, loaded by the first import from another server. @module */
export { ImapFlow } from "imapflow";
