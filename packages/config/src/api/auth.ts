// Who may do what. `viewer` reads; `operator` changes the cluster; `admin` also users and tokens. With `dashboard_auth = off` everybody is `admin` without a name.
//
// A browser logs in and sends the cookie `codis_session` with everything, and the header `x-codis-csrf` with every call that is not a GET.
// A program sends `Authorization: Bearer <token>` and neither of the two.

export type UserRoleName = 'viewer' | 'operator' | 'admin';

/** `GET /session`, and the answer to logging in and out. Needs no login. */
export interface SessionView {
  readonly authRequired: boolean;
  /** `dashboard_read_only`: every change is refused, whoever asks. */
  readonly readOnly: boolean;
  /** Null without a login; a token's is `token:<name>`. */
  readonly user: string | null;
  /** Null: not logged in, and one has to. */
  readonly role: UserRoleName | null;
  /** What to send as `x-codis-csrf`; null outside of a cookie's session. */
  readonly csrf: string | null;
  readonly product: string;
}

/** `POST /login`. */
export interface LoginRequest {
  readonly user: string;
  readonly password: string;
}

/** `PUT /session/password`: one's own. */
export interface ChangePasswordRequest {
  readonly current: string;
  readonly next: string;
}

export interface UserView {
  readonly name: string;
  readonly role: UserRoleName;
  readonly createdAt: string;
}

/** `GET /users`, and the answer to every change of users. Only for admins. */
export interface UsersView {
  readonly users: readonly UserView[];
}

/** `POST /users`. */
export interface AddUserRequest {
  readonly name: string;
  readonly role: UserRoleName;
  /** At least 10 characters. */
  readonly password: string;
}

/** `PUT /users/{user}`: what is not named stays. `DELETE /users/{user}` removes; the last admin can't be. */
export interface ChangeUserRequest {
  readonly role?: UserRoleName;
  readonly password?: string;
}

export interface TokenView {
  readonly name: string;
  readonly role: UserRoleName;
  readonly createdAt: string;
  /** Null: never. */
  readonly expiresAt: string | null;
}

/** `GET /tokens`; `DELETE /tokens/{token}` by name, answers the same. Only for admins. */
export interface TokensView {
  readonly tokens: readonly TokenView[];
}

/** `POST /tokens`. */
export interface AddTokenRequest {
  readonly name: string;
  readonly role: UserRoleName;
  readonly expiresInDays?: number | null;
}

/** The answer to it. */
export interface TokenAddedView extends TokenView {
  /** Said this once: only a hash is kept. */
  readonly token: string;
}
