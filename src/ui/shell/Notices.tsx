import { Icon } from "../components/Icon.tsx";
import { useView } from "../stores/viewStore.ts";

export function Notices() {
  const notices = useView((state) => state.notices);
  return (
    <div className="notices" aria-live="polite">
      {notices.map(({ id, kind, message }) => (
        <div key={id} className={`notice ${kind}`} role={kind === "error" ? "alert" : "status"}>
          <span className="grow">{message}</span>
          <button className="quiet icon small" aria-label="Dismiss" onClick={() => useView.getState().dismiss(id)}>
            <Icon name="cross" />
          </button>
        </div>
      ))}
    </div>
  );
}
