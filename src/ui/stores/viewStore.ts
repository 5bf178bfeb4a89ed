// What is on screen: workspace, document and what Inspect looks at (all in the URL), theme, overlays, notices.

import { create } from "zustand";
import type { Entity } from "../../ner/document.ts";
import type { PanelId } from "../panelIds.ts";
import type { InspectView } from "../inspect/inspectView.ts";
import { formatRoute, parseRoute } from "../route.ts";

export type Theme = "light" | "dark" | "system";
export type Overlay = "palette" | "keys" | "import" | "export" | "gpu" | "model" | null;

export interface Notice {
  id: number;
  kind: "info" | "error";
  message: string;
}

interface ViewState {
  panel: PanelId;
  documentId: string | null;
  inspect: InspectView;
  theme: Theme;
  /** What the theme comes to: as chosen, else as the system is now. */
  dark: boolean;
  overlay: Overlay;
  /** The three steps of the first visit are shown until finished or closed. */
  firstVisit: boolean;
  notices: readonly Notice[];
  goTo(panel: PanelId, documentId?: string | null): void;
  /** Takes an entity in hand, in Inspect: a step back leads to what was in hand before. */
  selectSpan(documentId: string, entity: Entity): void;
  /** Another view, or other states of the model, are a step back; layers and heads are walked through. */
  setInspect(change: Partial<InspectView>): void;
  setTheme(theme: Theme): void;
  setOverlay(overlay: Overlay): void;
  closeFirstVisit(): void;
  notify(kind: Notice["kind"], message: string): void;
  dismiss(id: number): void;
}

const THEME_KEY = "obp.theme";
const FIRST_VISIT_KEY = "obp.firstVisit";
const NOTICE_MS = 6000;
let nextNotice = 1;

function savedTheme(): Theme {
  const theme = localStorage.getItem(THEME_KEY);
  return theme === "light" || theme === "dark" ? theme : "system";
}

export const useView = create<ViewState>()((set, get) => ({
  ...parseRoute(location.hash),
  theme: savedTheme(),
  dark: false,
  overlay: null,
  firstVisit: localStorage.getItem(FIRST_VISIT_KEY) !== "closed",
  notices: [],

  goTo(panel, documentId) {
    const { inspect } = get();
    const to = documentId === undefined ? get().documentId : documentId;
    // A span is one of its document.
    const kept = to === get().documentId ? inspect : { ...inspect, span: null };
    const route = { panel, documentId: to, inspect: kept };
    const hash = formatRoute(route);
    // A new workspace is a step back; walking through documents within one is not.
    if (panel !== get().panel) history.pushState(null, "", hash);
    else if (hash !== location.hash) history.replaceState(null, "", hash);
    set(route);
  },
  selectSpan(documentId, { start, end, type }) {
    const route = { panel: "inspect", documentId, inspect: { ...get().inspect, type, span: { start, end } } } as const;
    const hash = formatRoute(route);
    if (hash !== location.hash) history.pushState(null, "", hash);
    set(route);
  },
  setInspect(change) {
    const { panel, documentId, inspect } = get();
    const next = { ...inspect, ...change };
    const hash = formatRoute({ panel, documentId, inspect: next });
    if (next.view !== inspect.view || (next.states !== inspect.states && hash !== location.hash))
      history.pushState(null, "", hash);
    else history.replaceState(null, "", hash);
    set({ inspect: next });
  },
  setTheme(theme) {
    localStorage.setItem(THEME_KEY, theme);
    set({ theme });
  },
  setOverlay: (overlay) => set({ overlay }),
  closeFirstVisit() {
    localStorage.setItem(FIRST_VISIT_KEY, "closed");
    set({ firstVisit: false });
  },
  notify(kind, message) {
    const notice: Notice = { id: nextNotice++, kind, message };
    set({ notices: [...get().notices, notice] });
    if (kind === "info") setTimeout(() => get().dismiss(notice.id), NOTICE_MS);
  },
  dismiss: (id) => set({ notices: get().notices.filter((notice) => notice.id !== id) }),
}));

/** Follows the back button and links; applies the theme. Called once. */
export function connectView(): void {
  const followUrl = (): void => {
    const route = parseRoute(location.hash);
    // Other workspaces' addresses say nothing of Inspect: there it stays as it was left.
    useView.setState(route.panel === "inspect" ? route : { panel: route.panel, documentId: route.documentId });
  };
  addEventListener("popstate", followUrl);
  addEventListener("hashchange", followUrl);
  const system = matchMedia("(prefers-color-scheme: dark)");
  const applyTheme = (): void => {
    const { theme } = useView.getState();
    const dark = theme === "system" ? system.matches : theme === "dark";
    document.documentElement.dataset["theme"] = dark ? "dark" : "light";
    // Said when the page has its colours: charts read them.
    if (useView.getState().dark !== dark) useView.setState({ dark });
  };
  system.addEventListener("change", applyTheme);
  useView.subscribe(applyTheme);
  applyTheme();
}
