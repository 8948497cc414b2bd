/** All methods of JMAP that there are. @module */
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
];

/** By name. */
export const methodTable: ReadonlyMap<string, Method> = new Map(methods.map((m) => [m.name, m]));
