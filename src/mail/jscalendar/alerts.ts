/**
 * Alarms of iCalendar (RFC 5545 §3.6.6) as alerts of JSCalendar (RFC 8984 §4.5.2). @module
 */
import { parseDuration, parseTime } from "../calendar/time.ts";
import { type Component, param, property } from "../contentline/component.ts";
import { localTime } from "./rules.ts";

/** An alarm, and what JSCalendar makes of it. */
export interface ConvertedAlert {
  /** Its key in `alerts`. */
  id: string;
  alert: Record<string, unknown>;
  alarm: Component;
}

function alertOf(component: Component): Record<string, unknown> | undefined {
  const trigger = property(component, "TRIGGER");
  if (trigger === undefined) return undefined;
  const at = parseTime(trigger.value.trim());
  const length = parseDuration(trigger.value);
  const related = param(trigger, "RELATED")?.toUpperCase() === "END";
  const known = property(component, "ACKNOWLEDGED")?.value.trim();
  const seen = known === undefined ? undefined : parseTime(known);
  if (at === undefined && length === undefined) return undefined;
  return {
    "@type": "Alert",
    trigger: length === undefined
      ? { "@type": "AbsoluteTrigger", when: `${localTime(at!.wall)}Z` }
      : {
        "@type": "OffsetTrigger",
        offset: trigger.value.trim().toUpperCase().replace(/^\+/, ""),
        ...(related ? { relativeTo: "end" } : {}),
      },
    ...(seen === undefined ? {} : { acknowledged: `${localTime(seen.wall)}Z` }),
    ...(property(component, "ACTION")?.value.trim().toUpperCase() === "EMAIL"
      ? { action: "email" }
      : {}),
  };
}

/** The alarms of a component, with the ids that its event's `alerts` have; those without a time are left out. */
export function alertsOf(component: Component): ConvertedAlert[] {
  const found: ConvertedAlert[] = [];
  const taken = new Set<string>();
  for (const alarm of component.components) {
    const alert = alarm.name === "VALARM" ? alertOf(alarm) : undefined;
    if (alert === undefined) continue;
    const uid = property(alarm, "UID")?.value.trim() ?? "";
    let id = uid;
    if (!/^[\w-]{1,255}$/.test(uid) || taken.has(uid)) {
      let n = 1;
      while (taken.has(`a${n}`)) n++;
      id = `a${n}`;
    }
    taken.add(id);
    found.push({ id, alert, alarm });
  }
  return found;
}
