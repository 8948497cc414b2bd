/** Logging in to the webmail. @module */
import { call } from "../api/client.ts";
import { usePasskey } from "../lib/passkey.ts";
import { loginForm } from "../lib/login_form.ts";

/** The login form; resolves after a login. */
export function login(into: HTMLElement, message = ""): Promise<void> {
  return loginForm(into, {
    title: "Webmail",
    message,
    username: true,
    providers: true,
    submit: async (form) => {
      await call("Login", form);
    },
    passkey: async () => {
      const { challenge } = await call("PasskeyChallenge", {});
      await call("PasskeyLogin", await usePasskey(challenge));
    },
  });
}
