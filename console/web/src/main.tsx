// The web app's beginning: styles, figures, the one React root.
import "@fontsource-variable/inter/index.css";
import "@fontsource-variable/noto-sans-sc/index.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/supervisor.css";
import "./styles/devices.css";
import "./styles/geofences.css";
import "./styles/flight.css";
import "./styles/planner.css";
import "./styles/phone.css";
import "./styles/officer.css";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { showFigures } from "./figures";

showFigures();
createRoot(document.getElementById("root")!).render(<App />);
