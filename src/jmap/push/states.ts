/** States of an account's object types, as sent to clients (RFC 8620 §7.1). @module */
import { emailState, mailboxState, newestEmail, threadState } from "../../store/emails/changes.ts";
import { emailIndex } from "../../store/emails/email_index.ts";
import { notificationsOf } from "../calendars/event_notifications.ts";
import { groupwareState, groupwareView } from "../groupware/collections.ts";
import type { Access } from "../core/method.ts";
import { vacationState } from "../mail/vacation.ts";
import { quotaState } from "../mail/quotas.ts";
import type { JmapServices } from "../services.ts";

/** Types with a state. */
export const pushTypes = [
  "Mailbox",
  "Thread",
  "Email",
  "EmailDelivery",
  "Identity",
  "EmailSubmission",
  "VacationResponse",
  "Quota",
  "ShareNotification",
  "AddressBook",
  "ContactCard",
  "Calendar",
  "CalendarEvent",
  "CalendarEventNotification",
];

export type States = Record<string, string>;

/** The current states. For a shared account only those of types that can be shared. */
export async function currentStates(services: JmapServices, access: Access): Promise<States> {
  const own = await mailStates(services, access);
  const books = await groupwareView(access, "addressbooks", services.objects);
  const told = notificationsOf(access);
  const calendars: typeof books = { ...books, home: "calendars" };
  return {
    ...own,
    AddressBook: groupwareState(books, "collection"),
    ContactCard: groupwareState(books, "object"),
    Calendar: groupwareState(calendars, "collection"),
    CalendarEvent: groupwareState(calendars, "object"),
    CalendarEventNotification: String(services.objects.state(told.account, told.type)),
  };
}

async function mailStates(services: JmapServices, access: Access): Promise<States> {
  const { account } = access;
  const index = await emailIndex(account);
  const mail: States = {
    Mailbox: String(mailboxState(account)),
    Thread: String(threadState(account, index)),
    Email: String(emailState(account)),
    // RFC 8621 §1.5: changes only when mail arrives.
    EmailDelivery: String(newestEmail(account)),
  };
  if (!access.own) return mail;
  return {
    ...mail,
    Identity: String(services.objects.state(account.name, "identity")),
    EmailSubmission: String(services.objects.state(account.name, "submission")),
    VacationResponse: vacationState(account),
    Quota: quotaState(account),
    ShareNotification: String(services.objects.state(account.name, "share")),
  };
}

/** By account id. */
export type AllStates = Record<string, States>;

/** The changed states of the requested types. */
export function changedStates(
  before: AllStates,
  now: AllStates,
  types: ReadonlySet<string> | undefined,
): AllStates {
  const changed: AllStates = {};
  for (const [id, states] of Object.entries(now)) {
    for (const [type, state] of Object.entries(states)) {
      if (types !== undefined && !types.has(type)) continue;
      if (before[id]?.[type] !== state) (changed[id] ??= {})[type] = state;
    }
  }
  return changed;
}

/** States as one word, with which a client reports what it knows. */
export function packStates(states: AllStates): string {
  return new TextEncoder().encode(JSON.stringify(states)).toBase64({
    alphabet: "base64url",
    omitPadding: true,
  });
}

/** Undefined if it is not from {@link packStates}. */
export function unpackStates(text: string): AllStates | undefined {
  if (text.length > 20_000) return undefined;
  try {
    const value = JSON.parse(
      new TextDecoder().decode(Uint8Array.fromBase64(text, { alphabet: "base64url" })),
    );
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
