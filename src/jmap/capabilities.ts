/** The server's capabilities, for sessions (RFC 8620 §2). @module */
import { programVersion } from "../platform/version.ts";
import { maxMailboxDepth } from "../store/mailboxes/mailboxes.ts";
import { maxAttendees } from "../mail/calendar/object.ts";
import { maxExpandedDays } from "./calendars/event_query.ts";
import { accountIdOf } from "./core/access.ts";
import { Capability } from "./core/capabilities.ts";
import { maxAvailabilityDays } from "./methods/principal/get_availability.ts";
import type { User } from "./core/method.ts";
import { maxMailboxesPerEmail } from "./mail/email_changes.ts";
import { digests } from "./methods/blob/get.ts";
import { lookupTypes } from "./methods/blob/lookup.ts";
import { maxDataSources, maxSizeBlobSet } from "./methods/blob/upload.ts";
import { emailSorts } from "./mail/query/email_sort.ts";
import { maxDelayedSend } from "./mail/submit.ts";
import type { JmapServices } from "./services.ts";
import { sieveCapability } from "./sieve/scripts.ts";

/** Capabilities besides the core, with their server-wide values. */
export function serverCapabilities(
  services: JmapServices,
): Record<string, Record<string, unknown>> {
  return {
    [Capability.Mail]: {},
    // draft-ietf-jmap-mail-sharing §2.
    [Capability.MailShare]: {},
    // RFC 9219 §3.
    [Capability.SmimeVerify]: {},
    [Capability.Submission]: {},
    [Capability.VacationResponse]: {},
    // RFC 8887 §3; the session adds the URL.
    [Capability.WebSocket]: {},
    // RFC 9749 §3.
    [Capability.Vapid]: { applicationServerKey: services.vapid.publicKey },
    [Capability.Quota]: {},
    [Capability.Blob]: {},
    // RFC 9661 §1.2.
    [Capability.Sieve]: { implementation: `mox ${programVersion}` },
    // RFC 9610 §1.4.
    [Capability.Contacts]: {},
    // RFC 9007 §1.3.
    [Capability.Mdn]: {},
    [Capability.Calendars]: {},
    [Capability.CalendarsParse]: {},
    // RFC 9670 §1.5.
    [Capability.Principals]: {},
    [Capability.PrincipalsOwner]: {},
    [Capability.Availability]: {},
  };
}

/** Capabilities of an account for a user. */
export function accountCapabilities(
  services: JmapServices,
  user: User,
  account: string,
): Record<string, Record<string, unknown>> {
  const own: Record<string, Record<string, unknown>> = account !== user.account ? {} : {
    // RFC 8621 §1.3.2.
    [Capability.Submission]: {
      maxDelayedSend,
      submissionExtensions: {
        FUTURERELEASE: [String(maxDelayedSend)],
        DSN: [],
        REQUIRETLS: [],
        SMTPUTF8: [],
        "8BITMIME": [],
        SIZE: [String(services.maxMessageSize)],
      },
    },
    [Capability.VacationResponse]: {},
    [Capability.Quota]: {},
    [Capability.Sieve]: sieveCapability,
    [Capability.Mdn]: {},
    [Capability.Principals]: { currentUserPrincipalId: accountIdOf(account) },
    [Capability.Availability]: { maxAvailabilityDuration: `P${maxAvailabilityDays}D` },
  };
  return {
    // RFC 9404 §3.
    [Capability.Blob]: {
      maxSizeBlobSet,
      maxDataSources,
      supportedTypeNames: lookupTypes,
      supportedDigestAlgorithms: Object.keys(digests),
    },
    ...own,
    // jmap-calendars §1.5.1: an event is in one calendar.
    [Capability.Calendars]: {
      maxCalendarsPerEvent: 1,
      minDateTime: "0001-01-01T00:00:00Z",
      maxDateTime: "9999-12-31T23:59:59Z",
      maxExpandedQueryDuration: `P${maxExpandedDays}D`,
      maxParticipantsPerEvent: maxAttendees,
      mayCreateCalendar: account === user.account,
    },
    [Capability.CalendarsParse]: {},
    [Capability.PrincipalsOwner]: {
      accountIdForPrincipal: accountIdOf(user.account),
      principalId: accountIdOf(account),
    },
    [Capability.MailShare]: {},
    [Capability.SmimeVerify]: {},
    // RFC 9610 §1.4: a card is in one address book.
    [Capability.Contacts]: {
      maxAddressBooksPerCard: 1,
      mayCreateAddressBook: account === user.account,
    },
    // RFC 8621 §1.3.1.
    [Capability.Mail]: {
      maxMailboxesPerEmail,
      maxMailboxDepth,
      maxSizeMailboxName: 255,
      maxSizeAttachmentsPerEmail: Math.floor(services.maxMessageSize * 0.7),
      emailQuerySortOptions: emailSorts,
      mayCreateTopLevelMailbox: account === user.account,
    },
  };
}
