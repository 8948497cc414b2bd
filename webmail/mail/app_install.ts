/** What makes the page an app of the browser: its worker, its manifest, its badge, and push messages. @module */
import { call } from "../api/client.ts";
import { el } from "../lib/dom.ts";
import { t } from "../lib/text.ts";

/** Registers the worker and the manifest. Without HTTPS browsers have neither. */
export function installApp(): void {
  document.head.append(el("link", { rel: "manifest", href: "manifest.webmanifest" }));
  // Without it the page is as it was.
  navigator.serviceWorker?.register("service_worker.js").catch(() => {});
}

/** Shows a number on the app's icon; 0 removes it. */
export function showBadge(n: number): void {
  if (n > 0) navigator.setAppBadge?.(n).catch(() => {});
  else navigator.clearAppBadge?.().catch(() => {});
}

const bytes = (base64url: string) =>
  Uint8Array.from(
    atob(base64url.replaceAll("-", "+").replaceAll("_", "/")),
    (c) => c.charCodeAt(0),
  );
const base64url = (buffer: ArrayBuffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_")
    .replace(/=+$/, "");

/** Whether this browser can be notified of mail when the page is closed. */
export const canPush = () => "serviceWorker" in navigator && "PushManager" in globalThis;

/** Asks the browser for permission, and has the server notify it of new mail in these mailboxes. @throws Error */
export async function subscribePush(mailboxes: string[]): Promise<void> {
  if (await Notification.requestPermission() !== "granted") {
    throw new Error(
      t("The browser was told not to show notifications; its own settings change that."),
    );
  }
  const { key } = await call("PushKey", {});
  const worker = await navigator.serviceWorker.ready;
  const s = await worker.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: bytes(key),
  });
  const [p256dh, auth] = [s.getKey("p256dh"), s.getKey("auth")];
  if (p256dh === null || auth === null) {
    throw new Error(t("The browser gives no keys for messages."));
  }
  await call("PushSubscribe", {
    endpoint: s.endpoint,
    p256dh: base64url(p256dh),
    auth: base64url(auth),
    mailboxes,
  });
}

/** Ends it. */
export async function unsubscribePush(): Promise<void> {
  const worker = await navigator.serviceWorker.ready;
  const s = await worker.pushManager.getSubscription();
  if (s === null) return;
  await call("PushUnsubscribe", { endpoint: s.endpoint });
  await s.unsubscribe();
}

/** Whether this browser is notified. */
export async function isSubscribed(): Promise<boolean> {
  if (!canPush()) return false;
  const worker = await navigator.serviceWorker.getRegistration();
  const s = await worker?.pushManager.getSubscription();
  return s !== undefined && s !== null;
}
