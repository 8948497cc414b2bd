/**
 * The pages as they are built by `deno task pages` from the sources in webmail/, packed into the program.
 *
 * Imports nothing. Called by serve/, which gives them to those who serve them.
 *
 * @module
 */
import account from "./account.html" with { type: "text" };
import admin from "./admin.html" with { type: "text" };
import editor from "./editor.html" with { type: "text" };
import webmail from "./webmail.html" with { type: "text" };

/** The webmail, one document with style and script in it. */
export const webmailPage: string = webmail;
/** The editor for rich text, for a frame in it. */
export const editorPage: string = editor;
/** The account page. */
export const accountPageHtml: string = account;
/** The admin page. */
export const adminPageHtml: string = admin;
