/** The section for logins: second factor, app passwords, keys, sessions, and login attempts. @module */
import { makeCall } from "../api/client.ts";
import { attemptsTable } from "../lib/attempts.ts";
import { button } from "../lib/button.ts";
import { confirmDialog } from "../lib/dialog.ts";
import type { Section } from "../lib/frame.ts";
import { el, ipAddress } from "../lib/dom.ts";
import { longDate, programName, shortDate } from "../lib/format.ts";
import { turnOnDialog } from "../lib/second_factor.ts";
import { hasPasskeys, makePasskey } from "../lib/passkey.ts";
import { attempt, notice } from "../lib/notify.ts";
import { facts, formDialog, part, secretDialog, table } from "../lib/page.ts";
import { confirmation, confirmFields } from "../lib/confirm.ts";
import { accountCalls, type Overview } from "./api.ts";
import { t } from "../lib/text.ts";

type Changed = () => Promise<void>;
type Security = Awaited<ReturnType<typeof load>>;

const load = () => makeCall(accountCalls, "Security", {});

export function securitySection(changed: Changed): Section {
  return {
    id: "sessions",
    title: t("Logins"),
    async show() {
      const [s, o] = await Promise.all([load(), makeCall(accountCalls, "Overview", {})]);
      return [
        secondFactor(s, changed),
        passkeys(s, changed),
        appPasswords(s, changed),
        tlsKeys(s, o, changed),
        sessions(o, changed),
        part(
          t("Attempts of the last 30 days"),
          el("p", { class: "muted" }, t("Tell your administrator if some were not yours.")),
          attemptsTable(s.attempts, false),
        ),
      ];
    },
  };
}

const date = (ms: number) => el("span", { title: longDate(ms) }, shortDate(ms));

function secondFactor(security: Security, changed: Changed): HTMLElement {
  return part(
    t("Second factor"),
    el(
      "p",
      { class: "muted" },
      t("A code from an app on your phone, asked for after the password."),
    ),
    facts([
      [t("State"), security.secondFactor ? t("on") : t("off")],
      ...(security.secondFactor
        ? [[t("Recovery codes left"), String(security.recoveryCodes)] as const]
        : []),
    ]),
    security.secondFactor
      ? button(t("Turn off"), () =>
        formDialog(
          t("Turn the second factor off"),
          confirmFields(true),
          t("Turn off"),
          async (given) => {
            await makeCall(accountCalls, "SecondFactorOff", confirmation(given));
            notice(t("The second factor is off."));
            await changed();
          },
        ))
      : button(
        t("Set up"),
        () =>
          attempt(async () =>
            turnOnDialog(await makeCall(accountCalls, "SecondFactorBegin", {}), async (r) => {
              const made = await makeCall(accountCalls, "SecondFactorOn", r);
              await changed();
              return made.recoveryCodes;
            })
          ),
      ),
  );
}

async function addPasskey(security: Security, changed: Changed): Promise<void> {
  const passkey = await makePasskey(await makeCall(accountCalls, "PasskeyBegin", {}));
  formDialog(
    t("Passkey"),
    [
      {
        name: "name",
        label: t("Name"),
        required: true,
        explanation: t("For you, such as “phone”."),
      },
      ...confirmFields(security.secondFactor),
    ],
    t("Add"),
    async ({ name, ...given }) => {
      await makeCall(accountCalls, "PasskeyAdd", { name, passkey, ...confirmation(given) });
      await changed();
    },
  );
}

function passkeys(security: Security, changed: Changed): HTMLElement {
  return part(
    t("Passkeys"),
    el(
      "p",
      { class: "muted" },
      t("Let you into the pages with your device's lock, without password and code. They can't be stolen by other sites."),
    ),
    table(
      [t("Name"), t("Made"), t("Last used"), ""],
      security.passkeys.map((p) => [
        p.name,
        date(p.created),
        p.lastUsed === 0 ? t("never") : date(p.lastUsed),
        button(t("Remove"), () =>
          formDialog(
            t("Remove passkey"),
            confirmFields(security.secondFactor),
            t("Remove"),
            async (given) => {
              await makeCall(accountCalls, "PasskeyRemove", { id: p.id, ...confirmation(given) });
              await changed();
            },
            el("p", {}, t("{0} lets nobody in any more, and all other logins end.", p.name)),
          )),
      ]),
      t("There are none."),
    ),
    hasPasskeys()
      ? button(t("Add passkey"), () => attempt(() => addPasskey(security, changed)))
      : el(
        "p",
        { class: "muted" },
        t("This browser has none, or the page was not loaded by HTTPS."),
      ),
  );
}

function appPasswords(security: Security, changed: Changed): HTMLElement {
  return part(
    t("App passwords"),
    el(
      "p",
      { class: "muted" },
      t("One for each mail program, so that you can take it back when a device is lost. They don't open this page."),
    ),
    table(
      [t("Program"), t("Made"), t("Last used"), ""],
      security.appPasswords.map((p) => [
        p.name,
        date(p.created),
        p.lastUsed === 0
          ? t("never")
          : el("span", {}, date(p.lastUsed), t(" by {0} from {1}", p.lastProtocol, p.lastIp)),
        button(t("Remove"), () =>
          attempt(async () => {
            const yes = await confirmDialog(
              t("Remove app password"),
              t("{0} can't log in any more.", p.name),
              t("Remove"),
            );
            if (!yes) return;
            await makeCall(accountCalls, "AppPasswordRemove", { id: p.id });
            await changed();
          })),
      ]),
      t("There are none."),
    ),
    button(t("Add app password"), () =>
      formDialog(
        t("App password"),
        [
          {
            name: "name",
            label: t("Program"),
            required: true,
            explanation: t("For you, such as “phone”."),
          },
          ...confirmFields(security.secondFactor),
        ],
        t("Make"),
        async ({ name, ...given }) => {
          const { password } = await makeCall(accountCalls, "AppPasswordAdd", {
            name,
            ...confirmation(given),
          });
          await changed();
          secretDialog(
            t("Password of {0}", name),
            t("It is shown this once. Put it into the program, with your address as the name."),
            password,
          );
        },
      )),
  );
}

function tlsKeys(security: Security, overview: Overview, changed: Changed): HTMLElement {
  const addresses = overview.destinations.map((d) => d.address).filter((a) => !a.startsWith("@"));
  return part(
    t("TLS keys"),
    el("p", { class: "muted" }, t("Certificates with which programs log in without a password.")),
    table(
      [t("Name"), t("Address"), t("Kind"), t("Added"), ""],
      security.tlsKeys.map((k) => [
        el("span", { title: k.fingerprint }, k.name),
        k.login,
        k.type,
        date(k.added),
        button(t("Remove"), () =>
          attempt(async () => {
            if (
              !await confirmDialog(
                t("Remove key"),
                t("{0} can't log in any more.", k.name),
                t("Remove"),
              )
            ) {
              return;
            }
            await makeCall(accountCalls, "TlsKeyRemove", { fingerprint: k.fingerprint });
            await changed();
          })),
      ]),
      t("There are none."),
    ),
    button(t("Add certificate"), () =>
      formDialog(
        t("TLS key"),
        [
          { name: "login", label: t("Address"), options: addresses, required: true },
          { name: "name", label: t("Name"), explanation: t("Empty: that of the certificate.") },
          {
            name: "certificate",
            label: t("Certificate"),
            type: "textarea",
            required: true,
            explanation: t("PEM, from -----BEGIN CERTIFICATE----- on."),
          },
          ...confirmFields(security.secondFactor),
        ],
        t("Add"),
        async ({ login, name, certificate, ...given }) => {
          await makeCall(accountCalls, "TlsKeyAdd", {
            login,
            name,
            certificate,
            ...confirmation(given),
          });
          await changed();
        },
      )),
  );
}

function sessions(overview: Overview, changed: Changed): HTMLElement {
  return part(
    t("Logged in now"),
    table(
      [t("Page"), t("Program"), t("Address"), t("Last used"), ""],
      overview.sessions.map((s) => [
        s.service,
        el("span", { title: s.userAgent }, programName(s.userAgent)),
        ipAddress(s.remoteIp),
        date(s.lastUsed),
        s.current ? t("this one") : button(t("End"), () =>
          attempt(async () => {
            await makeCall(accountCalls, "SessionEnd", { id: s.id });
            await changed();
          }), { title: t("Log this one out") }),
      ]),
      t("Nobody is logged in."),
    ),
    overview.sessions.length > 1
      ? button(t("End all others"), () =>
        attempt(async () => {
          await makeCall(accountCalls, "OtherSessionsEnd", {});
          await changed();
        }))
      : null,
  );
}
