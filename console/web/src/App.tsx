// Which screen is shown: signing in, setting a password, the operator's desk or the officer's page.
import { lazy, Suspense, useEffect, useState } from "react";
import { get, RequestError, write } from "./api/client";
import { live } from "./live/live";
import { OfficerPage } from "./officer/OfficerPage";
import { useSettings } from "./state/settings";
import { useText } from "./state/useText";
import { SetPassword, SignIn, takeToken } from "./ui/SignIn";
import type { SessionReply } from "./wire.generated";

/** The desk brings the large map libraries; an officer's phone in a weak network does without them. */
const Desk = lazy(() => import("./ui/Desk").then((part) => ({ default: part.Desk })));

const token = takeToken();

type Screen =
  | { readonly at: "loading" }
  | { readonly at: "signIn"; readonly note: "" | "signIn.signedOut" | "signIn.expired"; readonly token: string | null }
  | { readonly at: "password" | "operator"; readonly session: SessionReply };

async function whoIsSignedIn(): Promise<SessionReply | null> {
  try {
    return await get<SessionReply>("/api/session");
  } catch (error) {
    if (error instanceof RequestError) return null;
    throw error;
  }
}

export function App() {
  const [screen, setScreen] = useState<Screen>(token === null ? { at: "loading" } : { at: "signIn", note: "", token });
  const { theme, language } = useSettings();
  const t = useText();

  useEffect(() => {
    document.documentElement.dataset.theme = theme;
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  }, [theme, language]);

  useEffect(() => {
    if (token !== null) return;
    void whoIsSignedIn().then((session) => {
      setScreen(session ? { at: "operator", session } : { at: "signIn", note: "", token: null });
    });
  }, []);

  useEffect(() => live.onRefused(() => setScreen({ at: "signIn", note: "signIn.expired", token: null })), []);

  useEffect(() => {
    if (screen.at === "operator" && location.pathname !== "/") history.replaceState(null, "", "/");
  }, [screen]);

  const signOut = (): void => {
    const leave = (): void => location.assign("/sign-in");
    write("DELETE", "/api/session").then(leave, leave);
  };

  if (screen.at === "loading") return null;
  if (screen.at === "signIn") {
    return (
      <SignIn
        token={screen.token}
        note={screen.note ? t(screen.note) : ""}
        onSession={(session, byLink) =>
          setScreen({ at: byLink && session.must_set_password ? "password" : "operator", session })
        }
      />
    );
  }
  if (screen.at === "password")
    return <SetPassword onDone={() => setScreen({ at: "operator", session: screen.session })} />;
  if (screen.session.role === "officer") return <OfficerPage session={screen.session} onSignOut={signOut} />;
  return (
    <Suspense fallback={null}>
      <Desk session={screen.session} onSignOut={signOut} />
    </Suspense>
  );
}
