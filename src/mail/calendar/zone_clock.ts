/** Local time in zones that the runtime knows by name. @module */

/**
 * A function that returns how many milliseconds east of Greenwich a zone is at an instant.
 * @throws RangeError for a name that the runtime doesn't know
 */
export function zoneClock(name: string): (instant: number) => number {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: name,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  return (instant) => {
    const p: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(instant)) p[type] = Number(value);
    return Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute, p.second) -
      Math.floor(instant / 1000) * 1000;
  };
}
