import { useView } from "../stores/viewStore.ts";

export function ImportExportButtons() {
  const open = (overlay: "import" | "export"): void => useView.getState().setOverlay(overlay);
  return (
    <>
      <button className="quiet" onClick={() => open("import")}>
        Import…
      </button>
      <button className="quiet" onClick={() => open("export")}>
        Export…
      </button>
    </>
  );
}
