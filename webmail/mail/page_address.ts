/**
 * The page's address names the mailbox and the search, so that a reload or a bookmark comes back to them.
 *
 * @module
 */

/** Sets the address to a mailbox ("": all mail) and a search ("": none). */
export function setAddress(mailbox: string, search: string): void {
  const hash = `#${encodeURIComponent(mailbox)}${
    search === "" ? "" : `?${encodeURIComponent(search)}`
  }`;
  if (location.hash !== hash) history.replaceState(null, "", hash);
}

/** What the address names; "" for what is missing. */
export function readAddress(): { mailbox: string; search: string } {
  const [mailbox, search] = location.hash.slice(1).split("?");
  return { mailbox: decoded(mailbox), search: decoded(search) };
}

function decoded(part = ""): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

/** The draft of a window that is for writing one message and shows nothing else. */
export function readDraft(): number | undefined {
  const id = new URLSearchParams(location.search).get("compose") ?? "";
  return /^[1-9]\d{0,14}$/.test(id) ? Number(id) : undefined;
}

/** The mailto: address that the page was opened for; it is removed from the page's own address. */
export function readMailto(): string | undefined {
  const url = new URLSearchParams(location.search).get("mailto");
  if (url === null || !/^mailto:/i.test(url)) return readShared();
  // A reload doesn't start another message.
  history.replaceState(null, "", location.pathname + location.hash);
  return url;
}

/** What another app has shared with this one, as a mailto: address. */
function readShared(): string | undefined {
  const p = new URLSearchParams(location.search);
  const body = [p.get("body"), p.get("url")].filter((s) => s !== null && s !== "").join("\n");
  const subject = p.get("subject") ?? "";
  if (body === "" && subject === "") return undefined;
  history.replaceState(null, "", location.pathname + location.hash);
  return `mailto:?subject=${encodeURIComponent(subject)}&body=${encodeURIComponent(body)}`;
}
