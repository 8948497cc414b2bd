/** Support of HTML and CSS in mail programs: loaded when the first message is checked. @module */
import data from "./html_support.json" with { type: "json" };

export const htmlSupport = data;
