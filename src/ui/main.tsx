import "@fontsource-variable/inter/wght.css";
import "@fontsource-variable/jetbrains-mono/wght.css";
import "uplot/dist/uPlot.min.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/label.css";
import "./styles/train.css";
import "./styles/models.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App.tsx";
import { commands } from "./commands.ts";
import { connectKeyboard } from "./keyboard.ts";
import { connectEngine } from "./stores/engineStore.ts";
import { useProject } from "./stores/projectStore.ts";
import { connectView } from "./stores/viewStore.ts";

connectView();
connectKeyboard(commands);
void useProject.getState().load();
void connectEngine();
// An edit is in the database within milliseconds; only closing the page in between could lose it.
addEventListener("beforeunload", (event) => {
  if (useProject.getState().saving) event.preventDefault();
});

const root = document.getElementById("root");
if (root === null) throw new Error("expected an element #root in index.html");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
