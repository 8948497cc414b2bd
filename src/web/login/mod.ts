/**
 * Logins of web pages: sessions, cookies, limits on guessing.
 *
 * Imports net, metrics, store's database and http beside it. Called by webmail, account and admin.
 *
 * @module
 */
export { confirm, type Confirmation } from "./confirm.ts";
export {
  Login,
  type LoginForm,
  type LoginOptions,
  type LoginResult,
  type PasskeyLogin,
  placeOf,
} from "./login.ts";
export {
  Challenges,
  checkNewPasskey,
  checkPasskeyLogin,
  passkeyAlgorithms,
  PasskeyError,
  type PasskeyPlace,
} from "./webauthn.ts";
export { newPassword } from "./new_password.ts";
export { checkedKey, newFactor, qrPath, wrongFirstCode } from "./new_factor.ts";
export { type OpenIdLoginOptions, withOpenId } from "./openid.ts";
export { type PageContext, pageHandler, type PageOptions } from "./page_calls.ts";
export { type FoundSession, type LoginService, type Session, Sessions } from "./sessions.ts";
