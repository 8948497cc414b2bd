/** The default calendar for invitations, and the default address book for noted contacts. @module */
import type { Groupware } from "../store/groupware/groupware.ts";
import type { Collection } from "../store/groupware/types.ts";
import { collectionSettings, elementText, settingsChange } from "./collection_looks.ts";

const chosenProperty = "{urn:ietf:params:xml:ns:caldav}schedule-default-calendar-URL";

/** The one chosen in JMAP, or one named "default", or the oldest. */
function usual(groupware: Groupware, all: readonly Collection[]): Collection | undefined {
  return all.find((c) => collectionSettings(groupware.properties(c.id)).isDefault === true) ??
    all.find((c) => c.name === "default") ?? all[0];
}

const calendarsOf = (groupware: Groupware) =>
  groupware.collections("calendars").filter((c) => c.kind === "calendar");

/** The calendar that a program chose for invitations (RFC 6638 §9.2). */
export function chosenCalendar(groupware: Groupware): Collection | undefined {
  const inbox = groupware.collection("calendars", "inbox");
  const address = inbox && groupware.properties(inbox.id).get(chosenProperty);
  if (address === undefined) return undefined;
  const segment = elementText(address).split("/").filter((s) => s !== "").at(-1) ?? "";
  return calendarsOf(groupware)
    .find((c) => c.name === segment || encodeURIComponent(c.name) === segment);
}

/** The calendar that invitations go to: one that a program chose, or {@link usual}. */
export const defaultCalendar = (groupware: Groupware): Collection | undefined =>
  chosenCalendar(groupware) ?? usual(groupware, calendarsOf(groupware));

/** The address book that contacts go to where none is named. */
export function defaultBook(groupware: Groupware): Collection | undefined {
  return usual(
    groupware,
    groupware.collections("addressbooks").filter((c) => c.kind === "addressbook"),
  );
}

/** Makes a collection the default of its kind. On disk when it resolves. */
export async function setDefault(groupware: Groupware, chosen: Collection): Promise<void> {
  const kind = chosen.kind;
  for (const c of groupware.collections(chosen.home).filter((x) => x.kind === kind)) {
    const settings = collectionSettings(groupware.properties(c.id));
    const isDefault = c.id === chosen.id;
    if ((settings.isDefault === true) === isDefault) continue;
    await groupware.setProperties(c.id, 0, [settingsChange({ ...settings, isDefault })]);
  }
  const inbox = groupware.collection("calendars", "inbox");
  if (kind === "calendar" && inbox !== undefined) {
    await groupware.setProperties(inbox.id, 0, [[chosenProperty, null]]);
  }
}
