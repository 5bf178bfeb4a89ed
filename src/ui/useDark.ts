import { useSyncExternalStore } from "react";
import { useView } from "./stores/viewStore.ts";

const system = matchMedia("(prefers-color-scheme: dark)");

function subscribe(changed: () => void): () => void {
  system.addEventListener("change", changed);
  return () => system.removeEventListener("change", changed);
}

/** Whether the page is dark: as chosen, else as the system is now. */
export function useDark(): boolean {
  const theme = useView((state) => state.theme);
  const systemIsDark = useSyncExternalStore(subscribe, () => system.matches);
  return theme === "system" ? systemIsDark : theme === "dark";
}
