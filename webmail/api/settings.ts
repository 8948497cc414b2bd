/** A person's webmail settings; stored on the server, the same in all browsers. @module */
import * as v from "valibot";
import { text } from "./basics.ts";
import { Order, Threading } from "./query.ts";
import { type Language, languages } from "./languages.ts";

/** How a sender's messages are shown. */
export const SenderView = v.picklist(["text", "html", "htmlExternal"]);
export type SenderView = v.InferOutput<typeof SenderView>;

export const Settings = v.object({
  signature: text(20_000),
  /** Signatures of addresses that have their own. */
  signatures: v.optional(v.record(text(500), text(20_000)), {}),
  /** The same as rich text, by address; "" for all that have none of their own. Their plain text is above. */
  signaturesHtml: v.optional(v.record(text(500), text(50_000)), {}),
  /** Reusable texts. */
  templates: v.optional(
    v.pipe(
      v.array(v.object({ name: text(100), subject: text(1000), text: text(50_000) })),
      v.maxLength(50),
    ),
    [],
  ),
  /** Where an answer goes in relation to the quoted text. */
  quoting: v.picklist(["auto", "top", "bottom"]),
  /** For the page's texts, dates and numbers; "auto" follows the browser. */
  language: v.optional(v.picklist(["auto", ...Object.keys(languages) as Language[]]), "auto"),
  layout: v.picklist(["auto", "topBottom", "leftRight"]),
  theme: v.picklist(["auto", "light", "dark"]),
  threading: Threading,
  /** Shows an opened message together with the rest of its thread. */
  conversations: v.optional(v.boolean(), true),
  order: Order,
  /** Which part of a message with text and HTML is shown: by default the one with more content. */
  body: v.optional(v.picklist(["auto", "html", "text"]), "auto"),
  /** Rich or plain text; "auto": the same as the answered message, plain for new ones. */
  writing: v.optional(v.picklist(["auto", "rich", "plain"]), "auto"),
  /** Show the encryption status of recipients while writing. */
  showRecipientSecurity: v.boolean(),
  /** Show the shortcut when a button is clicked. */
  showShortcuts: v.boolean(),
  /** Show the preview text in the list. */
  showPreviews: v.boolean(),
  /** Label colours, by keyword: hues in degrees. */
  labelColors: v.optional(
    v.record(text(100), v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(360))),
    {},
  ),
  /** Seconds until an opened message is marked as read; -1: only by hand. */
  readAfter: v.pipe(v.number(), v.integer(), v.minValue(-1), v.maxValue(60)),
  /** Seconds until an opened message is marked as not junk; -1: never. */
  notJunkAfter: v.pipe(v.number(), v.integer(), v.minValue(-1), v.maxValue(600)),
  /** Seconds within which sending can be undone; 0: sent at once. */
  undoSend: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(60)),
});
export type Settings = v.InferOutput<typeof Settings>;

/** The settings of an account that has none stored. */
export const defaultSettings: Settings = {
  signature: "",
  signatures: {},
  signaturesHtml: {},
  templates: [],
  quoting: "auto",
  language: "auto",
  layout: "auto",
  theme: "auto",
  threading: "unread",
  conversations: true,
  order: "newest",
  body: "auto",
  writing: "auto",
  showRecipientSecurity: true,
  showShortcuts: true,
  showPreviews: true,
  labelColors: {},
  readAfter: 0,
  notJunkAfter: 5,
  undoSend: 0,
};
