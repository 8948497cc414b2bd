/**
 * The page's service worker: stores the page for use without a connection, and notifies of new mail while the page is
 * closed.
 *
 * @module
 */

/** The parts of a worker's global scope that are used. */
interface Worker {
  registration: {
    scope: string;
    showNotification(title: string, o: Record<string, unknown>): Promise<void>;
  };
  clients: {
    claim(): Promise<void>;
    matchAll(o: { type: "window"; includeUncontrolled: boolean }): Promise<PageClient[]>;
    openWindow(url: string): Promise<unknown>;
  };
  navigator: { setAppBadge?(n: number): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(name: string, fn: (event: WorkerEvent) => void): void;
}
interface PageClient {
  visibilityState: string;
  focus(): Promise<unknown>;
}
interface WorkerEvent {
  request: Request;
  data: { json(): unknown } | null;
  notification: { data: { url: string }; close(): void };
  waitUntil(p: Promise<unknown>): void;
  respondWith(p: Promise<Response>): void;
}

const worker = globalThis as unknown as Worker;
const cacheName = "mox-webmail-1";

/** Whether a request is for one of the page's documents. */
function isPage(request: Request): boolean {
  const { scope } = worker.registration;
  const path = new URL(request.url);
  path.search = path.hash = "";
  return request.method === "GET" && (path.href === scope || path.href === `${scope}editor`);
}

/** The server's version; if it can't be reached, the stored one. */
async function pageOf(request: Request): Promise<Response> {
  const cache = await caches.open(cacheName);
  const plain = new URL(request.url);
  plain.search = plain.hash = "";
  try {
    const answer = await fetch(request);
    if (answer.ok) await cache.put(plain.href, answer.clone());
    return answer;
  } catch (e) {
    const kept = await cache.match(plain.href);
    if (kept !== undefined) return kept;
    throw e;
  }
}

/** A text in a message from the server. */
function words(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Reminds of an event, even if the page is visible, as the page itself doesn't. */
async function remind(event: Record<string, unknown>): Promise<void> {
  const start = typeof event.start === "number" ? event.start : 0;
  const format: Intl.DateTimeFormatOptions = event.allDay === true
    ? { dateStyle: "full", timeZone: "UTC" }
    : { dateStyle: "full", timeStyle: "short" };
  const when = new Intl.DateTimeFormat(undefined, format).format(start);
  await worker.registration.showNotification(words(event.title) || "Event", {
    body: [when, words(event.place)].filter((s) => s !== "").join("\n"),
    tag: `event ${start} ${words(event.title)}`,
    icon: "icon.svg",
    data: { url: worker.registration.scope },
  });
}

async function tell(message: Record<string, unknown>): Promise<void> {
  const { event } = message;
  if (typeof event === "object" && event !== null) {
    return await remind(event as Record<string, unknown>);
  }
  const pages = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  // A visible page shows the message itself.
  if (pages.some((p) => p.visibilityState === "visible")) return;
  const mailbox = words(message.mailbox);
  await worker.registration.showNotification(words(message.from) || "New message", {
    body: words(message.subject),
    tag: `${mailbox} ${words(message.from)} ${words(message.subject)}`,
    icon: "icon.svg",
    data: { url: `${worker.registration.scope}#${encodeURIComponent(mailbox)}` },
  });
  if (typeof message.unread === "number") await worker.navigator.setAppBadge?.(message.unread);
}

async function openPage(url: string): Promise<void> {
  const [page] = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  if (page !== undefined) await page.focus();
  else await worker.clients.openWindow(url);
}

async function install(): Promise<void> {
  const cache = await caches.open(cacheName);
  await cache.add(worker.registration.scope);
  await worker.skipWaiting();
}

worker.addEventListener("install", (e) => e.waitUntil(install()));
worker.addEventListener("activate", (e) => e.waitUntil(worker.clients.claim()));
worker.addEventListener("fetch", (e) => {
  if (isPage(e.request)) e.respondWith(pageOf(e.request));
});
worker.addEventListener("push", (event) => {
  const message = event.data?.json();
  if (typeof message === "object" && message !== null) {
    event.waitUntil(tell(message as Record<string, unknown>));
  }
});
worker.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openPage(event.notification.data.url));
});
