/** All JMAP methods. @module */
import type { Method } from "./core/method.ts";
import { addressBookChanges } from "./methods/address_book/changes.ts";
import { addressBookGet } from "./methods/address_book/get.ts";
import { addressBookSet } from "./methods/address_book/set.ts";
import { contactCardChanges } from "./methods/contact_card/changes.ts";
import { contactCardCopy } from "./methods/contact_card/copy.ts";
import { contactCardGet } from "./methods/contact_card/get.ts";
import { contactCardQuery } from "./methods/contact_card/query.ts";
import { contactCardQueryChanges } from "./methods/contact_card/query_changes.ts";
import { contactCardSet } from "./methods/contact_card/set.ts";
import { calendarGet } from "./methods/calendar/get.ts";
import { calendarChanges } from "./methods/calendar/changes.ts";
import { calendarSet } from "./methods/calendar/set.ts";
import { calendarEventGet } from "./methods/calendar_event/get.ts";
import { calendarEventChanges } from "./methods/calendar_event/changes.ts";
import { calendarEventQuery } from "./methods/calendar_event/query.ts";
import { calendarEventQueryChanges } from "./methods/calendar_event/query_changes.ts";
import { calendarEventSet } from "./methods/calendar_event/set.ts";
import { calendarEventCopy } from "./methods/calendar_event/copy.ts";
import { calendarEventParse } from "./methods/calendar_event/parse.ts";
import { participantIdentityGet } from "./methods/participant_identity/get.ts";
import { participantIdentityChanges } from "./methods/participant_identity/changes.ts";
import { participantIdentitySet } from "./methods/participant_identity/set.ts";
import { principalGet } from "./methods/principal/get.ts";
import { principalChanges } from "./methods/principal/changes.ts";
import { principalSet } from "./methods/principal/set.ts";
import { principalQuery } from "./methods/principal/query.ts";
import { principalQueryChanges } from "./methods/principal/query_changes.ts";
import { principalGetAvailability } from "./methods/principal/get_availability.ts";
import { mdnParse } from "./methods/mdn/parse.ts";
import { mdnSend } from "./methods/mdn/send.ts";
import { shareNotificationGet } from "./methods/share_notification/get.ts";
import { shareNotificationChanges } from "./methods/share_notification/changes.ts";
import { shareNotificationSet } from "./methods/share_notification/set.ts";
import { eventNotificationChanges } from "./methods/calendar_event_notification/changes.ts";
import { eventNotificationGet } from "./methods/calendar_event_notification/get.ts";
import { eventNotificationQuery } from "./methods/calendar_event_notification/query.ts";
import { eventNotificationQueryChanges } from "./methods/calendar_event_notification/query_changes.ts";
import { eventNotificationSet } from "./methods/calendar_event_notification/set.ts";
import { shareNotificationQuery } from "./methods/share_notification/query.ts";
import { shareNotificationQueryChanges } from "./methods/share_notification/query_changes.ts";
import { blobCopy } from "./methods/blob/copy.ts";
import { blobGet } from "./methods/blob/get.ts";
import { blobLookup } from "./methods/blob/lookup.ts";
import { blobUpload } from "./methods/blob/upload.ts";
import { coreEcho } from "./methods/core/echo.ts";
import { emailChangesMethod } from "./methods/email/changes.ts";
import { emailCopy } from "./methods/email/copy.ts";
import { emailGet } from "./methods/email/get.ts";
import { emailImport } from "./methods/email/import.ts";
import { emailParse } from "./methods/email/parse.ts";
import { emailQuery } from "./methods/email/query.ts";
import { emailQueryChanges } from "./methods/email/query_changes.ts";
import { emailSet } from "./methods/email/set.ts";
import { emailSubmissionChanges } from "./methods/email_submission/changes.ts";
import { emailSubmissionGet } from "./methods/email_submission/get.ts";
import { emailSubmissionQuery } from "./methods/email_submission/query.ts";
import { emailSubmissionQueryChanges } from "./methods/email_submission/query_changes.ts";
import { emailSubmissionSet } from "./methods/email_submission/set.ts";
import { identityChanges } from "./methods/identity/changes.ts";
import { identityGet } from "./methods/identity/get.ts";
import { identitySet } from "./methods/identity/set.ts";
import { mailboxChangesMethod } from "./methods/mailbox/changes.ts";
import { mailboxGet } from "./methods/mailbox/get.ts";
import { mailboxQuery } from "./methods/mailbox/query.ts";
import { mailboxQueryChanges } from "./methods/mailbox/query_changes.ts";
import { mailboxSet } from "./methods/mailbox/set.ts";
import { pushSubscriptionGet } from "./methods/push_subscription/get.ts";
import { pushSubscriptionSet } from "./methods/push_subscription/set.ts";
import { quotaChanges } from "./methods/quota/changes.ts";
import { quotaGet } from "./methods/quota/get.ts";
import { quotaQuery } from "./methods/quota/query.ts";
import { quotaQueryChanges } from "./methods/quota/query_changes.ts";
import { searchSnippetGet } from "./methods/search_snippet/get.ts";
import { sieveScriptGet } from "./methods/sieve_script/get.ts";
import { sieveScriptQuery } from "./methods/sieve_script/query.ts";
import { sieveScriptSet } from "./methods/sieve_script/set.ts";
import { sieveScriptValidate } from "./methods/sieve_script/validate.ts";
import { threadChanges } from "./methods/thread/changes.ts";
import { threadGet } from "./methods/thread/get.ts";
import { vacationResponseGet } from "./methods/vacation_response/get.ts";
import { vacationResponseSet } from "./methods/vacation_response/set.ts";

export const methods: readonly Method[] = [
  coreEcho,
  blobCopy,
  blobUpload,
  blobGet,
  blobLookup,
  pushSubscriptionGet,
  pushSubscriptionSet,
  mailboxGet,
  mailboxChangesMethod,
  mailboxQuery,
  mailboxQueryChanges,
  mailboxSet,
  threadGet,
  threadChanges,
  emailGet,
  emailChangesMethod,
  emailQuery,
  emailQueryChanges,
  emailSet,
  emailCopy,
  emailImport,
  emailParse,
  searchSnippetGet,
  identityGet,
  identityChanges,
  identitySet,
  emailSubmissionGet,
  emailSubmissionChanges,
  emailSubmissionQuery,
  emailSubmissionQueryChanges,
  emailSubmissionSet,
  vacationResponseGet,
  vacationResponseSet,
  quotaGet,
  quotaChanges,
  quotaQuery,
  quotaQueryChanges,
  sieveScriptGet,
  sieveScriptQuery,
  sieveScriptSet,
  sieveScriptValidate,
  addressBookChanges,
  addressBookGet,
  addressBookSet,
  contactCardChanges,
  contactCardCopy,
  contactCardGet,
  contactCardQuery,
  contactCardQueryChanges,
  contactCardSet,
  calendarGet,
  calendarChanges,
  calendarSet,
  calendarEventGet,
  calendarEventChanges,
  calendarEventQuery,
  calendarEventQueryChanges,
  calendarEventSet,
  calendarEventCopy,
  calendarEventParse,
  eventNotificationGet,
  eventNotificationChanges,
  eventNotificationSet,
  eventNotificationQuery,
  eventNotificationQueryChanges,
  participantIdentityGet,
  participantIdentityChanges,
  participantIdentitySet,
  principalGet,
  principalChanges,
  principalSet,
  principalQuery,
  principalQueryChanges,
  principalGetAvailability,
  mdnParse,
  mdnSend,
  shareNotificationGet,
  shareNotificationChanges,
  shareNotificationSet,
  shareNotificationQuery,
  shareNotificationQueryChanges,
];

/** By name. */
export const methodTable: ReadonlyMap<string, Method> = new Map(methods.map((m) => [m.name, m]));
