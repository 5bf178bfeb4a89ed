import { useView } from "../stores/viewStore.ts";

export function ImportExportButtons() {
  const setOverlay = useView((state) => state.setOverlay);
  return (
    <>
      <button className="quiet" onClick={() => setOverlay("import")}>
        Import…
      </button>
      <button className="quiet" onClick={() => setOverlay("export")}>
        Export…
      </button>
    </>
  );
}
