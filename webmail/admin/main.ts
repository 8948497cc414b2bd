/**
 * The admin page: logs in, then shows the server. The folders beside this file contain its sections.
 *
 * @module
 */
import { makeCall } from "../api/client.ts";
import { loginForm } from "../lib/login_form.ts";
import { el } from "../lib/dom.ts";
import { frame, type Section } from "../lib/frame.ts";
import { mountNotifications } from "../lib/notify.ts";
import { adminCalls } from "./api/mod.ts";
import { accountSection } from "./addresses/accounts.ts";
import { auditSection } from "./security/audit.ts";
import { blockListSection } from "./security/block_lists.ts";
import { certificateSection } from "./server/certificates.ts";
import { nodeSection } from "./server/nodes.ts";
import { scannerSection } from "./server/scanners.ts";
import { configSection } from "./server/config_files.ts";
import { connectionSection } from "./security/connections.ts";
import { dmarcSection } from "./reports/dmarc.ts";
import { domainSection } from "./addresses/domains.ts";
import { hookSection } from "./queue/hooks.ts";
import { loginSection } from "./security/logins.ts";
import { logSection } from "./server/log_levels.ts";
import { movingSection } from "./moving/mod.ts";
import { overviewSection } from "./server/overview.ts";
import { queueSection } from "./queue/messages.ts";
import { retiredSection } from "./queue/retired.ts";
import { storageSection } from "./server/storage.ts";
import { suppressionSection } from "./queue/suppression.ts";
import { tlsReportSection } from "./reports/tls_reports.ts";
import { tokenSection } from "./security/tokens.ts";
import { webServerSection } from "./server/web_server.ts";

const root = el("div", { id: "root" });
document.body.append(root);
mountNotifications();

async function main(): Promise<void> {
  const session = () => makeCall(adminCalls, "Session", {});
  let found = await session().catch(() => ({ loggedIn: false, hostname: "", domains: null }));
  if (!found.loggedIn) {
    await loginForm(root, {
      title: "Administration",
      username: "optional",
      providers: true,
      submit: async (form) => {
        await makeCall(adminCalls, "Login", form);
      },
    });
    found = await session();
  }
  const changed = () => page.refresh();
  const grouped = (group: string, ...sections: Section[]) => sections.map((s) => ({ ...s, group }));
  const whole = found.domains === null;
  const page = frame(root, {
    title: "Administration",
    who: whole ? found.hostname : found.domains!.join(", "),
    sections: whole
      ? [
        overviewSection(),
        ...grouped("Mail", domainSection(changed), accountSection(changed), movingSection()),
        ...grouped(
          "Sending",
          queueSection(changed),
          retiredSection(),
          suppressionSection(changed),
          hookSection(changed),
        ),
        ...grouped("Reports", dmarcSection(changed), tlsReportSection(changed)),
        ...grouped(
          "Security",
          loginSection(changed),
          tokenSection(changed),
          auditSection(),
          connectionSection(changed),
          certificateSection(),
          scannerSection(),
          blockListSection(changed),
        ),
        ...grouped(
          "Server",
          storageSection(),
          nodeSection(changed),
          webServerSection(changed),
          logSection(changed),
          configSection(changed),
        ),
      ]
      : [domainSection(changed, false), accountSection(changed, false)],
    logout: async () => {
      await makeCall(adminCalls, "Logout", {});
      location.reload();
    },
  });
}

void main();
