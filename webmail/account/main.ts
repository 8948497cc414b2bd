/**
 * The account page: logs in, then shows the account.
 *
 * @module
 */
import { loadLanguage } from "../lib/language.ts";
import { makeCall } from "../api/client.ts";
import { usePasskey } from "../lib/passkey.ts";
import { loginForm } from "../lib/login_form.ts";
import { el } from "../lib/dom.ts";
import { mountNotifications } from "../lib/notify.ts";
import { frame } from "../lib/frame.ts";
import { accountCalls } from "./api.ts";
import { t } from "../lib/text.ts";
import { sections } from "./sections.ts";

const root = el("div", { id: "root" });
document.body.append(root);
mountNotifications();

async function main(): Promise<void> {
  await loadLanguage();
  const { account } = await makeCall(accountCalls, "Session", {}).catch(() => ({ account: null }));
  if (account === null) {
    await loginForm(root, {
      title: t("Account"),
      username: true,
      providers: true,
      submit: async (form) => {
        await makeCall(accountCalls, "Login", form);
      },
      passkey: async () => {
        const { challenge } = await makeCall(accountCalls, "PasskeyChallenge", {});
        await makeCall(accountCalls, "PasskeyLogin", await usePasskey(challenge));
      },
    });
  }
  const overview = await makeCall(accountCalls, "Overview", {});
  const page = frame(root, {
    title: t("Account"),
    who: overview.loginAddress,
    links: overview.webmail === null ? [] : [{ title: t("Webmail"), href: overview.webmail }],
    sections: sections(() => page.refresh()),
    logout: async () => {
      await makeCall(accountCalls, "Logout", {});
      location.reload();
    },
  });
}

void main();
