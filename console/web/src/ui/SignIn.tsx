// The sign-in screen: a one-time link's token from the address, or name and password; then a password may be set.
import { useEffect, useState } from "react";
import { RequestError, write } from "../api/client";
import { toggleLanguage } from "../state/actions";
import { useText } from "../state/useText";
import type { SessionReply } from "../wire.generated";
import { Brand } from "./icons";

const UNAUTHENTICATED = 401;
const SHORTEST = 12;

/** Take the token out of the address at once, so that it stays in no history and no screenshot. */
export function takeToken(): string | null {
  if (location.pathname !== "/sign-in" || location.hash.length < 2) return null;
  const token = location.hash.slice(1);
  history.replaceState(null, "", "/sign-in");
  return token;
}

function Card({ children }: { children: React.ReactNode }) {
  const t = useText();
  return (
    <>
      <div className="row">
        <span style={{ width: 28 }}>
          <Brand />
        </span>
        <b style={{ fontSize: 18 }}>skybeat</b>
        <span className="sp" />
        <button
          type="button"
          className="iconbtn"
          style={{ width: "auto", padding: "0 8px" }}
          data-testid="language-switch"
          aria-label={t("language.switch")}
          onClick={toggleLanguage}
        >
          {t("language.short")}
        </button>
      </div>
      {children}
    </>
  );
}

export interface SignInProps {
  readonly token: string | null;
  readonly note: string;
  readonly onSession: (session: SessionReply, byLink: boolean) => void;
}

export function SignIn({ token, note, onSession }: SignInProps) {
  const t = useText();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState("");
  const [working, setWorking] = useState(token !== null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a token is used once
  useEffect(() => {
    if (token === null) return;
    write<SessionReply>("POST", "/api/session/link", { token })
      .then((session) => session && onSession(session, true))
      .catch((failure: unknown) => {
        if (!(failure instanceof RequestError)) throw failure;
        setWorking(false);
        setError(failure.status === 0 ? t("signIn.failed", { why: t(failure.key) }) : t("signIn.linkFailed"));
      });
  }, [token]);

  const submit = async (): Promise<void> => {
    setWorking(true);
    try {
      const session = await write<SessionReply>("POST", "/api/session", { name, password });
      if (session) onSession(session, false);
    } catch (failure) {
      if (!(failure instanceof RequestError)) throw failure;
      const why = failure.detail || t(failure.key, failure.figures);
      setError(failure.status === UNAUTHENTICATED ? t("signIn.wrong") : t("signIn.failed", { why }));
      setWorking(false);
    }
  };

  return (
    <main className="gate" data-testid="sign-in">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Card>
          <div>
            <h1>{t("signIn.title")}</h1>
            <p className="t3 f13">{t("signIn.lead")}</p>
          </div>
          {note && !error ? <p className="t2 f13">{note}</p> : null}
          <label>
            {t("signIn.name")}
            <input
              className="field"
              data-testid="sign-in-name"
              autoComplete="username"
              required
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          </label>
          <label>
            {t("signIn.password")}
            <input
              className="field"
              data-testid="sign-in-password"
              type="password"
              autoComplete="current-password"
              required
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          </label>
          {error ? (
            <p className="error" role="alert" data-testid="sign-in-error">
              {error}
            </p>
          ) : null}
          <button type="submit" className="btn pri" data-testid="sign-in-submit" disabled={working}>
            {t(working ? "signIn.working" : "signIn.submit")}
          </button>
          <p className="t3 f12">{t("signIn.linkHint")}</p>
        </Card>
      </form>
    </main>
  );
}

export function SetPassword({ onDone }: { onDone: () => void }) {
  const t = useText();
  const [first, setFirst] = useState("");
  const [second, setSecond] = useState("");
  const [error, setError] = useState("");

  const save = async (): Promise<void> => {
    if (first.length < SHORTEST) return setError(t("password.short", { n: first.length }));
    if (first !== second) return setError(t("password.differ"));
    try {
      await write("POST", "/api/account/password", { password: first });
      onDone();
    } catch (failure) {
      if (!(failure instanceof RequestError)) throw failure;
      setError(t("password.failed", { why: failure.detail || t(failure.key, failure.figures) }));
    }
  };

  return (
    <main className="gate" data-testid="set-password">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <Card>
          <div>
            <h1>{t("password.title")}</h1>
            <p className="t3 f13">{t("password.lead")}</p>
          </div>
          <label>
            {t("password.new")}
            <input
              className="field"
              data-testid="new-password"
              type="password"
              autoComplete="new-password"
              value={first}
              onChange={(event) => setFirst(event.target.value)}
            />
          </label>
          <label>
            {t("password.repeat")}
            <input
              className="field"
              data-testid="new-password-repeat"
              type="password"
              autoComplete="new-password"
              value={second}
              onChange={(event) => setSecond(event.target.value)}
            />
          </label>
          {error ? (
            <p className="error" role="alert">
              {error}
            </p>
          ) : null}
          <button type="submit" className="btn pri" data-testid="password-save">
            {t("password.save")}
          </button>
          <button type="button" className="btn ghost" data-testid="password-later" onClick={onDone}>
            {t("password.later")}
          </button>
        </Card>
      </form>
    </main>
  );
}
