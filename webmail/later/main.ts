/**
 * Parts of the webmail that a person opens with a button or a key: a separate script, loaded then. It shares modules
 * with the page itself; see mail/later.ts.
 *
 * @module
 */
// First, as in the page's own script: modules make their texts when they start, and shared ones start with the page.
import "../lib/language.ts";

export { openCalendar } from "../mail/calendar/page.ts";
export { addSender } from "../mail/contacts/add_sender.ts";
export { openContacts } from "../mail/contacts/contacts.ts";
export { ruleFrom } from "../mail/rules/from_message.ts";
export { openRules } from "../mail/rules/rules.ts";
export { showLog } from "../mail/rules/trying.ts";
export { openSettings } from "../mail/settings.ts";
