/** Names of JMAP capabilities. @module */

export const Capability = {
  Core: "urn:ietf:params:jmap:core",
  Mail: "urn:ietf:params:jmap:mail",
  MailShare: "urn:ietf:params:jmap:mail:share",
  SmimeVerify: "urn:ietf:params:jmap:smimeverify",
  Submission: "urn:ietf:params:jmap:submission",
  VacationResponse: "urn:ietf:params:jmap:vacationresponse",
  WebSocket: "urn:ietf:params:jmap:websocket",
  Mdn: "urn:ietf:params:jmap:mdn",
  Quota: "urn:ietf:params:jmap:quota",
  Blob: "urn:ietf:params:jmap:blob",
  Principals: "urn:ietf:params:jmap:principals",
  PrincipalsOwner: "urn:ietf:params:jmap:principals:owner",
  Vapid: "urn:ietf:params:jmap:webpush-vapid",
  Sieve: "urn:ietf:params:jmap:sieve",
  Contacts: "urn:ietf:params:jmap:contacts",
  Calendars: "urn:ietf:params:jmap:calendars",
  CalendarsParse: "urn:ietf:params:jmap:calendars:parse",
  Availability: "urn:ietf:params:jmap:principals:availability",
} as const;
export type CapabilityName = typeof Capability[keyof typeof Capability];
