/** A form to log in with. @module */
import { CallError } from "../api/client.ts";
import { el, field, fill } from "./dom.ts";
import { hasPasskeys } from "./passkey.ts";
import { errorText } from "./notify.ts";
import { t } from "./text.ts";
import * as v from "valibot";

const Providers = v.array(v.object({ name: v.string(), label: v.string() }));

/** What the user entered. */
export interface LoginInput {
  username: string;
  password: string;
  totp?: string;
}

export interface LoginFormOptions {
  title: string;
  /** Why a new login is needed, for example. */
  message?: string;
  /** Whether to ask for an address; "optional" for pages that can be used without one. */
  username: boolean | "optional";
  /** Logs in. @throws CallError; on "secondFactor" the form asks for a code */
  submit: (input: LoginInput) => Promise<void>;
  /** Whether to show identity providers. */
  providers?: boolean;
  /** Logs in with a passkey. @throws Error */
  passkey?: () => Promise<void>;
}

/** Shows the form; resolves after a login. */
export function loginForm(into: HTMLElement, options: LoginFormOptions): Promise<void> {
  return new Promise((resolve) => {
    const username = el("input", {
      type: "email",
      name: "username",
      autocomplete: "username",
      required: options.username === true,
      spellcheck: "false",
      placeholder: "you@example.org",
    });
    const password = el("input", {
      type: "password",
      name: "password",
      autocomplete: "current-password",
      required: true,
    });
    const code = el("input", {
      type: "text",
      name: "totp",
      autocomplete: "one-time-code",
      inputmode: "numeric",
      maxlength: 20,
    });
    const codeField = field(t("Code of your second factor"), code);
    codeField.hidden = true;
    const error = el("p", { class: "error", role: "alert" }, options.message ?? "");
    const submit = el("button", { type: "submit", class: "primary" }, t("Log in"));
    const attempt = async (event: Event) => {
      event.preventDefault();
      submit.disabled = true;
      fill(error);
      try {
        await options.submit({
          username: username.value.trim(),
          password: password.value,
          ...(codeField.hidden ? {} : { totp: code.value.trim() }),
        });
        resolve();
      } catch (err) {
        if (err instanceof CallError && err.code === "secondFactor") {
          const again = !codeField.hidden;
          codeField.hidden = false;
          fill(error, again ? err.message : "");
          code.focus();
        } else {
          fill(error, errorText(err));
          password.focus();
          password.select();
        }
      } finally {
        submit.disabled = false;
      }
    };
    const elsewhere = el("div", { class: "buttons" });
    if (options.providers) void showProviders(elsewhere);
    const withPasskey = async () => {
      fill(error);
      try {
        await options.passkey!();
        resolve();
      } catch (err) {
        fill(error, errorText(err));
      }
    };
    fill(
      into,
      el(
        "main",
        { class: "login" },
        el(
          "form",
          { onsubmit: attempt },
          el("h1", {}, options.title),
          options.username === true ? field(t("Email address"), username) : null,
          field(t("Password"), password),
          options.username === "optional"
            ? el(
              "details",
              {},
              el("summary", {}, "I administer some domains only"),
              field(t("Email address"), username, "Of your own account."),
            )
            : null,
          codeField,
          error,
          submit,
          options.passkey && hasPasskeys()
            ? el(
              "button",
              { type: "button", onclick: () => void withPasskey() },
              t("Use a passkey"),
            )
            : null,
          elsewhere,
        ),
      ),
    );
    (options.username === true ? username : password).focus();
  });
}

/** Identity providers; none if they can't be loaded. */
async function showProviders(into: HTMLElement): Promise<void> {
  const r = await fetch("oidc/providers").catch(() => undefined);
  if (!r?.ok) return;
  const found = v.safeParse(Providers, await r.json().catch(() => undefined));
  if (!found.success) return;
  fill(
    into,
    found.output.map((p) =>
      el(
        "button",
        { type: "button", onclick: () => location.assign(`oidc/${encodeURIComponent(p.name)}`) },
        `Log in with ${p.label}`,
      )
    ),
  );
}
