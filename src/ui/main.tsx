import "@fontsource-variable/inter/wght.css";
import "@fontsource-variable/jetbrains-mono/wght.css";
import "uplot/dist/uPlot.min.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/gpu.css";
import "./styles/label.css";
import "./styles/train.css";
import "./styles/source.css";
import "./styles/models.css";
import "./styles/inspect.css";
import "./styles/cases.css";
import "./styles/space.css";
import "./styles/compare.css";
import "./styles/narrow.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App.tsx";
import { commands } from "./commands.ts";
import { connectKeyboard } from "./keyboard.ts";
import { connectEngine, useEngine } from "./stores/engineStore.ts";
import { useProject } from "./stores/projectStore.ts";
import { connectView } from "./stores/viewStore.ts";

connectView();
connectKeyboard(commands);
void useProject.getState().load();
void connectEngine();
// Closing the page ends a job, and within milliseconds of an edit could lose it: the browser asks first.
addEventListener("beforeunload", (event) => {
  if (useProject.getState().saving || useEngine.getState().job !== null) event.preventDefault();
});

const root = document.getElementById("root");
if (root === null) throw new Error("expected an element #root in index.html");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
