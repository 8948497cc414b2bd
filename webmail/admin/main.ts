/**
 * The admin page: logs in, then shows the server.
 *
 * @module
 */
import { makeCall } from "../api/client.ts";
import { loginForm } from "../lib/login_form.ts";
import { el } from "../lib/dom.ts";
import { mountNotifications } from "../lib/notify.ts";
import { frame } from "../lib/page.ts";
import { adminCalls } from "./api.ts";
import { accountSections } from "./accounts.ts";
import { domainSections } from "./domains.ts";
import { queueSection } from "./queue.ts";
import { securitySection } from "./security.ts";
import { serverSections } from "./server.ts";

const root = el("div", { id: "root" });
document.body.append(root);
mountNotifications();

async function main(): Promise<void> {
  const { loggedIn } = await makeCall(adminCalls, "Session", {}).catch(() => ({ loggedIn: false }));
  if (!loggedIn) {
    await loginForm(root, {
      title: "Administration",
      username: false,
      submit: async (form) => {
        await makeCall(adminCalls, "Login", form);
      },
    });
  }
  const { hostname } = await makeCall(adminCalls, "Overview", {});
  const changed = () => page.refresh();
  const [status, reports, settings] = serverSections(changed);
  const page = frame(root, {
    title: "Administration",
    who: hostname,
    sections: [
      status,
      ...domainSections(changed),
      ...accountSections(changed),
      queueSection(changed),
      reports,
      securitySection(),
      settings,
    ],
    logout: async () => {
      await makeCall(adminCalls, "Logout", {});
      location.reload();
    },
  });
}

void main();
