/** The section on logins: second factor, app passwords, keys, sessions, and who has tried. @module */
import { makeCall } from "../api/client.ts";
import { attemptsTable } from "../lib/attempts.ts";
import { button } from "../lib/button.ts";
import { confirmDialog } from "../lib/dialog.ts";
import type { Section } from "../lib/frame.ts";
import { el } from "../lib/dom.ts";
import { longDate, programName, shortDate } from "../lib/format.ts";
import { turnOnDialog } from "../lib/second_factor.ts";
import { hasPasskeys, makePasskey } from "../lib/passkey.ts";
import { attempt, notice } from "../lib/notify.ts";
import { facts, formDialog, part, secretDialog, table } from "../lib/page.ts";
import { confirmation, confirmFields } from "../lib/confirm.ts";
import { accountCalls, type Overview } from "./api.ts";

type Changed = () => Promise<void>;
type Security = Awaited<ReturnType<typeof load>>;

const load = () => makeCall(accountCalls, "Security", {});

export function securitySection(changed: Changed): Section {
  return {
    id: "sessions",
    title: "Logins",
    async show() {
      const [s, o] = await Promise.all([load(), makeCall(accountCalls, "Overview", {})]);
      return [
        secondFactor(s, changed),
        passkeys(s, changed),
        appPasswords(s, changed),
        tlsKeys(s, o, changed),
        sessions(o, changed),
        part(
          "Attempts of the last 30 days",
          el("p", { class: "muted" }, "Tell your administrator if some were not yours."),
          attemptsTable(s.attempts, false),
        ),
      ];
    },
  };
}

const date = (ms: number) => el("span", { title: longDate(ms) }, shortDate(ms));

function secondFactor(security: Security, changed: Changed): HTMLElement {
  return part(
    "Second factor",
    el(
      "p",
      { class: "muted" },
      "A code from an app on your phone, asked for after the password.",
    ),
    facts([
      ["State", security.secondFactor ? "on" : "off"],
      ...(security.secondFactor
        ? [["Recovery codes left", String(security.recoveryCodes)] as const]
        : []),
    ]),
    security.secondFactor
      ? button("Turn off", () =>
        formDialog(
          "Turn the second factor off",
          confirmFields(true),
          "Turn off",
          async (given) => {
            await makeCall(accountCalls, "SecondFactorOff", confirmation(given));
            notice("The second factor is off.");
            await changed();
          },
        ))
      : button(
        "Set up",
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
    "Passkey",
    [
      { name: "name", label: "Name", required: true, explanation: "For you, such as “phone”." },
      ...confirmFields(security.secondFactor),
    ],
    "Add",
    async ({ name, ...given }) => {
      await makeCall(accountCalls, "PasskeyAdd", { name, passkey, ...confirmation(given) });
      await changed();
    },
  );
}

function passkeys(security: Security, changed: Changed): HTMLElement {
  return part(
    "Passkeys",
    el(
      "p",
      { class: "muted" },
      "Let you into the pages with your device's lock, without password and code. They can't be stolen by other sites.",
    ),
    table(
      ["Name", "Made", "Last used", ""],
      security.passkeys.map((p) => [
        p.name,
        date(p.created),
        p.lastUsed === 0 ? "never" : date(p.lastUsed),
        button("Remove", () =>
          formDialog(
            "Remove passkey",
            confirmFields(security.secondFactor),
            "Remove",
            async (given) => {
              await makeCall(accountCalls, "PasskeyRemove", { id: p.id, ...confirmation(given) });
              await changed();
            },
            el("p", {}, `${p.name} lets nobody in any more, and all other logins end.`),
          )),
      ]),
      "There are none.",
    ),
    hasPasskeys()
      ? button("Add passkey", () => attempt(() => addPasskey(security, changed)))
      : el("p", { class: "muted" }, "This browser has none, or the page was not loaded by HTTPS."),
  );
}

function appPasswords(security: Security, changed: Changed): HTMLElement {
  return part(
    "App passwords",
    el(
      "p",
      { class: "muted" },
      "One for each mail program, so that you can take it back when a device is lost. They don't open this page.",
    ),
    table(
      ["Program", "Made", "Last used", ""],
      security.appPasswords.map((p) => [
        p.name,
        date(p.created),
        p.lastUsed === 0
          ? "never"
          : el("span", {}, date(p.lastUsed), ` by ${p.lastProtocol} from ${p.lastIp}`),
        button("Remove", () =>
          attempt(async () => {
            const yes = await confirmDialog(
              "Remove app password",
              `${p.name} can't log in any more.`,
              "Remove",
            );
            if (!yes) return;
            await makeCall(accountCalls, "AppPasswordRemove", { id: p.id });
            await changed();
          })),
      ]),
      "There are none.",
    ),
    button("Add app password", () =>
      formDialog(
        "App password",
        [
          {
            name: "name",
            label: "Program",
            required: true,
            explanation: "For you, such as “phone”.",
          },
          ...confirmFields(security.secondFactor),
        ],
        "Make",
        async ({ name, ...given }) => {
          const { password } = await makeCall(accountCalls, "AppPasswordAdd", {
            name,
            ...confirmation(given),
          });
          await changed();
          secretDialog(
            `Password of ${name}`,
            "It is shown this once. Put it into the program, with your address as the name.",
            password,
          );
        },
      )),
  );
}

function tlsKeys(security: Security, overview: Overview, changed: Changed): HTMLElement {
  const addresses = overview.destinations.map((d) => d.address).filter((a) => !a.startsWith("@"));
  return part(
    "TLS keys",
    el("p", { class: "muted" }, "Certificates with which programs log in without a password."),
    table(
      ["Name", "Address", "Kind", "Added", ""],
      security.tlsKeys.map((k) => [
        el("span", { title: k.fingerprint }, k.name),
        k.login,
        k.type,
        date(k.added),
        button("Remove", () =>
          attempt(async () => {
            if (!await confirmDialog("Remove key", `${k.name} can't log in any more.`, "Remove")) {
              return;
            }
            await makeCall(accountCalls, "TlsKeyRemove", { fingerprint: k.fingerprint });
            await changed();
          })),
      ]),
      "There are none.",
    ),
    button("Add certificate", () =>
      formDialog(
        "TLS key",
        [
          { name: "login", label: "Address", options: addresses, required: true },
          { name: "name", label: "Name", explanation: "Empty: that of the certificate." },
          {
            name: "certificate",
            label: "Certificate",
            type: "textarea",
            required: true,
            explanation: "PEM, from -----BEGIN CERTIFICATE----- on.",
          },
          ...confirmFields(security.secondFactor),
        ],
        "Add",
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
    "Logged in now",
    table(
      ["Page", "Program", "Address", "Last used", ""],
      overview.sessions.map((s) => [
        s.service,
        el("span", { title: s.userAgent }, programName(s.userAgent)),
        s.remoteIp,
        date(s.lastUsed),
        s.current ? "this one" : button("End", () =>
          attempt(async () => {
            await makeCall(accountCalls, "SessionEnd", { id: s.id });
            await changed();
          }), { title: "Log this one out" }),
      ]),
      "Nobody is logged in.",
    ),
    overview.sessions.length > 1
      ? button("End all others", () =>
        attempt(async () => {
          await makeCall(accountCalls, "OtherSessionsEnd", {});
          await changed();
        }))
      : null,
  );
}
