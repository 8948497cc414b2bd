/** What a person sets in the webmail; kept on the server, the same in all browsers. @module */
import * as v from "valibot";
import { text } from "./basics.ts";
import { Order, Threading } from "./query.ts";
import { type Language, languages } from "./languages.ts";

/** How the messages of a sender are shown. */
export const SenderView = v.picklist(["text", "html", "htmlExternal"]);
export type SenderView = v.InferOutput<typeof SenderView>;

export const Settings = v.object({
  signature: text(20_000),
  /** Of addresses that have one of their own. */
  signatures: v.optional(v.record(text(500), text(20_000)), {}),
  /** The same with formats, by address; "": of all that have none of their own. Their text is above. */
  signaturesHtml: v.optional(v.record(text(500), text(50_000)), {}),
  /** Texts that are written again and again. */
  templates: v.optional(
    v.pipe(
      v.array(v.object({ name: text(100), subject: text(1000), text: text(50_000) })),
      v.maxLength(50),
    ),
    [],
  ),
  /** Where an answer stands to the text it quotes. */
  quoting: v.picklist(["auto", "top", "bottom"]),
  /** Of the page's texts, dates and numbers; "auto": as the browser has it. */
  language: v.optional(v.picklist(["auto", ...Object.keys(languages) as Language[]]), "auto"),
  layout: v.picklist(["auto", "topBottom", "leftRight"]),
  theme: v.picklist(["auto", "light", "dark"]),
  threading: Threading,
  /** An opened message has the others of its thread around it. */
  conversations: v.optional(v.boolean(), true),
  order: Order,
  /** Which part of a message that has text and HTML is shown: by default the one that says more. */
  body: v.optional(v.picklist(["auto", "html", "text"]), "auto"),
  /** Rich text or plain; "auto": as the message that is answered, new ones in plain text. */
  writing: v.optional(v.picklist(["auto", "rich", "plain"]), "auto"),
  /** Show the state of encryption at the recipients while writing. */
  showRecipientSecurity: v.boolean(),
  /** Show the shortcut when a button is clicked. */
  showShortcuts: v.boolean(),
  /** Show the preview's words in the list. */
  showPreviews: v.boolean(),
  /** Colours of labels, by keyword: hues in degrees. */
  labelColors: v.optional(
    v.record(text(100), v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(360))),
    {},
  ),
  /** Seconds until an opened message counts as read; -1: only by hand. */
  readAfter: v.pipe(v.number(), v.integer(), v.minValue(-1), v.maxValue(60)),
  /** Seconds until an opened message is marked as not junk; -1: never. */
  notJunkAfter: v.pipe(v.number(), v.integer(), v.minValue(-1), v.maxValue(600)),
  /** Seconds in which sending can be taken back; 0: sent at once. */
  undoSend: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(60)),
});
export type Settings = v.InferOutput<typeof Settings>;

/** Of an account that never set anything. */
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
