/**
 * Parts of the webmail that a person opens by a button or a key: a script of its own, loaded then. It shares the
 * modules that the page itself has too; see mail/later.ts.
 *
 * @module
 */
// As in the page's own: texts are made while modules begin, and those that both share begin with the page.
import "../lib/language.ts";

export { openCalendar } from "../mail/calendar/page.ts";
export { addSender } from "../mail/contacts/add_sender.ts";
export { openContacts } from "../mail/contacts/contacts.ts";
export { ruleFrom } from "../mail/rules/from_message.ts";
export { openRules } from "../mail/rules/rules.ts";
export { showLog } from "../mail/rules/trying.ts";
export { openSettings } from "../mail/settings.ts";
