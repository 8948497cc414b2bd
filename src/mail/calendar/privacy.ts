/** What an event says of who may see it: CLASS (RFC 5545 §3.8.1.3), or privacy as JSCalendar has it. @module */
import { type Component, param, type Property, unescapeText } from "../contentline/component.ts";

/**
 * Who may see what of an event: "public" all, "private" others see when it is, "confidential" others don't see it at
 * all.
 */
export type EventPrivacy = "public" | "private" | "confidential";

/** The words of CLASS by privacy. */
export const classWords = {
  public: "PUBLIC",
  private: "PRIVATE",
  confidential: "CONFIDENTIAL",
} as const satisfies Record<EventPrivacy, string>;

/** What a property says; undefined for one that is about something else. */
export function privacyOf(p: Property): EventPrivacy | undefined {
  if (p.name === "CLASS") {
    const value = p.value.trim().toUpperCase();
    // RFC 5545 §3.8.1.3: values that aren't known are as PRIVATE.
    return value === "CONFIDENTIAL" ? "confidential" : value === "PUBLIC" ? "public" : "private";
  }
  if (p.name !== "JSPROP") return undefined;
  if ((param(p, "JSPTR") ?? "").trim().replace(/^\//, "") !== "privacy") return undefined;
  const value = unescapeText(p.value).trim();
  return value === '"secret"' ? "confidential" : value === '"public"' ? "public" : "private";
}

/** The strictest that stands in components and all in them. */
export function privacyIn(components: readonly Component[]): EventPrivacy {
  let found: EventPrivacy = "public";
  for (const c of components) {
    for (const says of [...c.properties.map(privacyOf), privacyIn(c.components)]) {
      if (says === "confidential") return says;
      if (says === "private") found = says;
    }
  }
  return found;
}
