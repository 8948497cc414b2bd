/** How messages look in this browser. @module */

const key = (name: string) => `mox-webmail-${name}`;

/** What was last chosen in this browser; null if nothing was. */
export function remembered(name: "mono" | "dark"): string | null {
  try {
    return localStorage.getItem(key(name));
  } catch {
    return null;
  }
}

export function remember(name: "mono" | "dark", value: string): void {
  try {
    localStorage.setItem(key(name), value);
  } catch {
    // Without storage a choice lasts as long as the message is open.
  }
}

/** Whether the page is dark, by its setting or the system's. */
export function darkPage(): boolean {
  const { theme } = document.documentElement.dataset;
  if (theme === "dark" || theme === "light") return theme === "dark";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}
