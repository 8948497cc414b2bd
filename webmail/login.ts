/** Logging in. @module */
import { call, CallError } from "./api/client.ts";
import { el, field, fill } from "./lib/dom.ts";
import { errorText } from "./lib/notify.ts";

/** The login form; resolves when someone is logged in. */
export function login(into: HTMLElement, message = ""): Promise<void> {
  return new Promise((resolve) => {
    const username = el("input", {
      // Not "email": browsers refuse addresses with other letters than those of ASCII.
      type: "text",
      inputmode: "email",
      autocapitalize: "off",
      name: "username",
      autocomplete: "username",
      required: true,
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
    const codeField = field("Code of your second factor", code);
    codeField.hidden = true;
    const error = el("p", { class: "error", role: "alert" }, message);
    const submit = el("button", { type: "submit", class: "primary" }, "Log in");
    const attempt = async (e: Event) => {
      e.preventDefault();
      submit.disabled = true;
      fill(error);
      try {
        await call("Login", {
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
    fill(
      into,
      el(
        "main",
        { class: "login" },
        el(
          "form",
          { onsubmit: attempt },
          el("h1", {}, "Webmail"),
          field("Email address", username),
          field("Password", password),
          codeField,
          error,
          submit,
        ),
      ),
    );
    username.focus();
  });
}
