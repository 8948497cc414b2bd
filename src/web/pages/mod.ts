/**
 * The pages as they are built by `deno task pages` from the sources in webmail/, packed into the program.
 *
 * Imports nothing. Called by serve/, which gives them to those who serve them.
 *
 * @module
 */
import webmail from "./webmail.html" with { type: "text" };

/** The webmail, one document with style and script in it. */
export const webmailPage: string = webmail;
