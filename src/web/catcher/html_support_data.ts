/** What mail programs support of HTML and CSS: loaded when the first message is checked. @module */
import data from "./html_support.json" with { type: "json" };

export const htmlSupport = data;
