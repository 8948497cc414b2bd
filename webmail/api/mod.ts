/**
 * What the webmail's server and page say to each other: the schemas of every request, answer and event,
 * and the types that follow from them. Imports valibot and nothing else; src/web/webmail and the page
 * (webmail/*.ts) import it.
 *
 * @module
 */
export * from "./basics.ts";
export * from "./calls.ts";
export * from "./compose.ts";
export * from "./contacts.ts";
export * from "./events.ts";
export * from "./mailbox.ts";
export * from "./message.ts";
export * from "./query.ts";
export * from "./rules.ts";
export * from "./settings.ts";
export * from "./urls.ts";
